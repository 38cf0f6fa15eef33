<?php
// SPDX-License-Identifier: MIT
// PHP's own functions for FTP over TLS. How drivers are called stands in clients.py.

set_error_handler(function ($level, $said) {
	fwrite(STDERR, "$said\n");
	exit(1);
});

[$verb, $one, $other] = array_pad(array_slice($argv, 1), 3, "");
$ftp = ftp_ssl_connect(getenv("FTP_HOST"), (int) getenv("FTP_PORT"), 30);
ftp_login($ftp, getenv("FTP_USER"), getenv("FTP_PASSWORD"));
ftp_pasv($ftp, true);

$done = match ($verb) {
	"login" => true,
	"list" => ftp_nlist($ftp, $one),
	"get" => ftp_get($ftp, $other, $one),
	"reget" => ftp_get($ftp, $other, $one, FTP_BINARY, FTP_AUTORESUME),
	"put" => ftp_put($ftp, $other, $one),
	"reput" => ftp_put($ftp, $other, $one, FTP_BINARY, FTP_AUTORESUME),
	"rename" => ftp_rename($ftp, $one, $other),
	"delete" => ftp_delete($ftp, $one),
	"mkdir" => ftp_mkdir($ftp, $one),
};
if ($verb === "list") {
	foreach ($done as $name) {
		echo "$name\n";
	}
}
ftp_close($ftp);
