# SPDX-License-Identifier: MIT
# Perl's Net::FTP with IO::Socket::SSL. How drivers are called stands in clients.py.
use strict;
use warnings;
use Net::FTP;

# IO::Socket::SSL keeps sessions by host and port, and a data connection has another port; so
# Net::FTP gets a cache that knows one session only.
package OneSession {
	use parent -norequire, 'IO::Socket::SSL::Session_Cache';
	sub add_session { my ($cache, $key, $session) = @_; $cache->SUPER::add_session('', $session) }
	sub get_session { $_[0]->SUPER::get_session('') }
}

my ($verb, @args) = @ARGV;
my %verbs = (
	login => sub { 1 },
	list => sub {
		my ($folder) = @_;
		my $names = $_[-1]->ls($folder);
		print map { "$_\n" } @{$names || []};
		return $names;
	},
	get => sub { my ($remote, $local, $ftp) = @_; $ftp->get($remote, $local) },
	reget => sub { my ($remote, $local, $ftp) = @_; $ftp->get($remote, $local, -s $local) },
	put => sub { my ($local, $remote, $ftp) = @_; $ftp->put($local, $remote) },
	reput => sub {
		my ($local, $remote, $ftp) = @_;
		my $offset = $ftp->size($remote);
		open(my $file, '<', $local) or die "$!\n";
		seek($file, $offset, 0);
		$ftp->restart($offset);
		$ftp->put($file, $remote);
	},
	rename => sub { my ($from, $to, $ftp) = @_; $ftp->rename($from, $to) },
	delete => sub { my ($path, $ftp) = @_; $ftp->delete($path) },
	mkdir => sub { my ($path, $ftp) = @_; $ftp->mkdir($path) },
);

my $ftp = Net::FTP->new($ENV{FTP_HOST}, Port => $ENV{FTP_PORT}, Passive => 1, Timeout => 30,
	Debug => 1,  # so that whatever the server says is shown
	SSL_verify_mode => 0, $ENV{FTP_PLAIN} ? () : (SSL_session_cache => OneSession->new(1)),
	$ENV{FTP_CERT} ? (SSL_cert_file => $ENV{FTP_CERT}, SSL_key_file => $ENV{FTP_KEY}) : ())
	or die "$@\n";
my $done = $ftp->starttls && $ftp->login($ENV{FTP_USER}, $ENV{FTP_PASSWORD}) && $ftp->binary
	&& $verbs{$verb}->(@args, $ftp);
$ftp->quit;
exit($done ? 0 : 1);
