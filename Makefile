# SPDX-License-Identifier: MIT
# The build of cubftpd, for GNU make 4. `make help` lists the goals.
#
#	O=DIR              where all that is built goes (build)
#	CROSS_COMPILE=     what stands before the names of gcc, nm and size
#	BEARSSL=DIR        where BearSSL is installed, or its source tree after its own make;
#	                   BEARSSL_CFLAGS and BEARSSL_LIBS say it in detail
#	CC CPPFLAGS CFLAGS LDFLAGS LDLIBS NM SIZE DESTDIR PREFIX SYSCONFDIR   as everywhere
#	WERROR=1           a warning is an error
#	V=1                print whole commands
#	SOURCE_DATE_EPOCH  the build's date, below which no clock is believed

O ?= build
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
PYTHON ?= python3
KCONFIG_CONFIG ?= .config
ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)$(if $(CROSS_COMPILE),gcc,cc)
endif
NM ?= $(CROSS_COMPILE)nm
SIZE ?= $(CROSS_COMPILE)size
CFLAGS ?= -Os -g
BEARSSL_CFLAGS ?= $(addprefix -isystem ,$(BEARSSL:%=%/include) $(wildcard $(BEARSSL:%=%/inc)))
BEARSSL_LIBS ?= $(addprefix -L,$(BEARSSL:%=%/lib) $(wildcard $(BEARSSL:%=%/build))) -lbearssl

ifneq ($(words $(O))$(filter $(CURDIR),$(abspath $(O))),1)
$(error O must name one folder, and not that of the sources)
endif

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
SAY = $(if $(V),,@echo '  $(1)';)

# All objects share these flags; what some need besides is in DEFINES, further down.
WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wcast-qual -Wwrite-strings -Wpointer-arith
# Position-independent code is of no use in a static program, and larger: 4 KB on ARM.
NO_PIE = $(if $(filter -static,$(LDFLAGS)),-fno-pie)
COMPILE = $(CC) -std=c11 $(WARNINGS) -ffunction-sections -fdata-sections $(NO_PIE) -Iinclude \
	$(BEARSSL_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(CFLAGS) -Wl,--gc-sections $(LDFLAGS)
LIBS = $(BEARSSL_LIBS) $(LDLIBS)
POSIX = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || date +%s))

objects = $(patsubst %.c,$(O)/%.o,$(wildcard $(1)))
CORE := $(call objects,core/*.c)
PORT := $(call objects,port/linux/*.c)
SIM := $(call objects,tests/sim/*.c)
PORT_PARTS := $(filter-out %/main.o,$(PORT))

# cubsign has the core's code, but a configuration of its own: it knows each kind of key,
# whatever the device knows. So its objects are apart.
HOST := $(patsubst $(O)/%,$(O)/host/%,$(CORE) $(PORT_PARTS) $(call objects,tools/cubsign/*.c))
HOST_PARTS := $(filter-out %/cubsign/main.o,$(HOST))

# Each test_*.c is a program of tests, those in tests/cubsign of the parts of cubsign.
TESTS := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/test_*.c tests/story/test_*.c))
PORT_TESTS := $(filter $(O)/tests/unit/test_port_%,$(TESTS))
HOST_TESTS := $(patsubst %.c,$(O)/host/%,$(wildcard tests/cubsign/test_*.c))
ALL_TESTS := $(TESTS) $(HOST_TESTS)

# What tries everything at each point takes minutes under valgrind; the rest runs the same code.
VALGRIND_TESTS := $(filter-out %/test_store_power %/test_faults %/test_keyfile,$(ALL_TESTS))

.PHONY: all tests san demo check check-unit check-live check-valgrind fuzz bench tidy size \
	install install-cubftpd install-cubsign clean help \
	menuconfig defconfig olddefconfig savedefconfig FORCE

all: $(O)/cubftpd $(O)/cubsign ## Build the server and the signing tool (the default)
tests: $(ALL_TESTS) ; @:

# ---- configuration: Kconfig and .config become a header and make variables

KCONF = awk -f tools/kconf.awk
DOTCONFIG = $(wildcard $(KCONFIG_CONFIG))

# These goals have to work where .config is broken.
ifneq ($(filter-out clean help %config,$(or $(MAKECMDGOALS),all)),)
include $(O)/auto.conf
endif

# Always run, replace only on change: deleting .config must take effect too.
$(O)/autoconf.h $(O)/auto.conf: CHOICES = $(DOTCONFIG)
$(O)/host/autoconf.h: CHOICES = tools/cubsign/config
$(O)/auto.conf: OUT = config
$(O)/autoconf.h $(O)/host/autoconf.h: OUT = header
$(O)/autoconf.h $(O)/host/autoconf.h $(O)/auto.conf: FORCE
	@mkdir -p $(@D)
	@$(KCONF) -v out=$(OUT) Kconfig $(CHOICES) > $@.tmp || { rm -f $@.tmp; exit 1; }
	@if cmp -s $@.tmp $@; then rm $@.tmp; else mv $@.tmp $@; fi

menuconfig: ## Choose sizes and features in a menu
	@for tool in kconfig-mconf kconfig-nconf menuconfig; do \
		command -v $$tool > /dev/null || continue; \
		exec env KCONFIG_CONFIG=$(KCONFIG_CONFIG) $$tool Kconfig; \
	done; \
	$(PYTHON) -c 'import menuconfig' 2> /dev/null && \
		exec env KCONFIG_CONFIG=$(KCONFIG_CONFIG) $(PYTHON) -m menuconfig Kconfig; \
	echo 'menuconfig needs kconfig-frontends or kconfiglib;' \
		'without them, write the lines you want into $(KCONFIG_CONFIG)' >&2; exit 1

defconfig: ## Write .config anew, with the defaults
	@$(KCONF) -v out=config Kconfig > $(KCONFIG_CONFIG).tmp
	@mv $(KCONFIG_CONFIG).tmp $(KCONFIG_CONFIG)
olddefconfig: ## Complete .config with the defaults
	@$(KCONF) -v out=config Kconfig $(DOTCONFIG) > $(KCONFIG_CONFIG).tmp \
		|| { rm -f $(KCONFIG_CONFIG).tmp; exit 1; }
	@mv $(KCONFIG_CONFIG).tmp $(KCONFIG_CONFIG)
savedefconfig: ## Write to ./defconfig what differs from the defaults
	@$(KCONF) -v out=saved Kconfig $(DOTCONFIG) > defconfig || { rm -f defconfig; exit 1; }

# ---- compiling and linking

# Objects made with other flags are made again. Not for a mere `make install`, which is
# often called without the flags of the build (by Buildroot, or as another user).
$(O)/flags: $(if $(filter-out install%,$(or $(MAKECMDGOALS),all)),FORCE)
	@$(file > $@.tmp,$(COMPILE) $(LINK) $(LIBS)) \
		if cmp -s $@.tmp $@; then rm $@.tmp; else mv $@.tmp $@; fi

$(O)/bearssl.ok: $(O)/flags
	@echo '#include <bearssl.h>' | $(COMPILE) -E -x c - > $@.tmp 2>&1 || { \
		if grep -q 'bearssl\.h' $@.tmp; then \
			echo 'bearssl.h not found: on Debian and Ubuntu `apt-get install libbearssl-dev`;' \
				'elsewhere install BearSSL 0.6 or later and say `make BEARSSL=/its/prefix`'; \
		else cat $@.tmp; fi >&2; rm $@.tmp; exit 1; }
	@mv $@.tmp $@

define COMPILE_OBJECT
	@mkdir -p $(@D)
	$(call SAY,CC $<)$(COMPILE) $(if $(WERROR),-Werror) $(DEFINES) -MMD -MP -c -o $@ $<
endef
$(O)/%.o: %.c $(O)/flags | $(O)/autoconf.h $(O)/bearssl.ok
	$(COMPILE_OBJECT)
$(O)/host/%.o: %.c $(O)/flags | $(O)/host/autoconf.h $(O)/bearssl.ok
	$(COMPILE_OBJECT)

# Only the clock knows the build's date, so that a new date makes nothing else anew.
CLOCK = -DCUB_BUILD_EPOCH=$(EPOCH)
SEEN = $(POSIX) -I. -Icore
$(O)/core/%.o: DEFINES = -I$(O)
$(O)/core/clock.o: DEFINES = -I$(O) $(CLOCK)
$(O)/port/%.o: DEFINES = -I$(O) $(POSIX)
$(O)/tests/%.o: DEFINES = -I$(O) $(SEEN) -Itests/sim -Itests/story
$(O)/host/core/%.o: DEFINES = -I$(O)/host
$(O)/host/core/clock.o: DEFINES = -I$(O)/host $(CLOCK)
$(O)/host/port/%.o: DEFINES = -I$(O)/host $(POSIX)
$(O)/host/tools/%.o $(O)/host/tests/%.o: DEFINES = -I$(O)/host $(SEEN) -Itools/cubsign

LINK_PROGRAM = $(call SAY,LD $@)$(LINK) $(WRAP) -Wl,-Map=$@.map -o $@ $(filter %.o,$^)
$(O)/cubftpd: $(CORE) $(PORT)
	$(LINK_PROGRAM) $(LIBS)
$(O)/cubsign: $(HOST)
	$(LINK_PROGRAM) $(LIBS)
$(HOST_TESTS): %: %.o $(HOST_PARTS)
	$(LINK_PROGRAM) -lcmocka $(LIBS)
$(PORT_TESTS): %: %.o $(CORE) $(PORT_PARTS)
	$(LINK_PROGRAM) -lcmocka $(LIBS)
$(filter-out $(PORT_TESTS),$(TESTS)): %: %.o $(CORE) $(SIM)
	$(LINK_PROGRAM) -lcmocka $(LIBS)
$(filter $(O)/tests/story/%,$(TESTS)): $(O)/tests/story/story.o
$(O)/tests/story/test_fuzz: $(addprefix $(O)/tests/fuzz/,fuzz_session.o seeds.o)
$(O)/host/tests/cubsign/test_fuzz: $(addprefix $(O)/host/tests/fuzz/,fuzz_der.o seeds.o)
# These two replace pbkdf2_start(), so that keys by the thousand are sealed in no time.
$(addprefix $(O)/tests/unit/test_,seal identity): private WRAP = -Wl,--wrap=pbkdf2_start

$(O)/tests/size/stack: %: %.o $(CORE) $(SIM)
	$(LINK_PROGRAM) $(LIBS)

-include $(patsubst %.o,%.d,$(CORE) $(PORT) $(SIM) $(HOST) $(ALL_TESTS:=.o) \
	$(call objects,tests/story/story.c tests/size/stack.c) \
	$(addprefix $(O)/,$(addprefix tests/fuzz/,fuzz_session.o seeds.o) \
		$(addprefix host/tests/fuzz/,fuzz_der.o seeds.o)))

# $(call put,MODE,FOLDER,FILES): FOLDER below $(DESTDIR)$(PREFIX)
put = install -d $(DESTDIR)$(PREFIX)/$(2) && install -m $(1) $(3) $(DESTDIR)$(PREFIX)/$(2)
# A completion has the name of its command.
complete = install -D -m 644 $(1) \
	$(DESTDIR)$(PREFIX)/share/bash-completion/completions/$(basename $(notdir $(1)))

install: install-cubftpd install-cubsign ## Install below $(DESTDIR)$(PREFIX): all that follows
install-cubftpd: $(O)/cubftpd ## Install the server, its manual and an example configuration
	$(call put,755,sbin,$(O)/cubftpd)
	$(call put,644,share/man/man8,port/linux/cubftpd.8)
	$(call put,644,share/man/man5,port/linux/cubftpd.conf.5)
	$(call complete,port/linux/cubftpd.bash)
	install -d $(DESTDIR)$(SYSCONFDIR)
	test -e $(DESTDIR)$(SYSCONFDIR)/cubftpd.conf || \
		install -m 644 port/linux/cubftpd.conf $(DESTDIR)$(SYSCONFDIR)/cubftpd.conf
install-cubsign: $(O)/cubsign ## Install the signing tool and its manual
	$(call put,755,bin,$(O)/cubsign)
	$(call put,644,share/man/man1,tools/cubsign/cubsign.1)
	$(call complete,tools/cubsign/cubsign.bash)

# ---- tests

# The same again in a folder of its own, with the sanitizers.
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
SAN_TESTS = $(ALL_TESTS:$(O)/%=$(O)/san/%)
LIVE = CUBFTPD=$(abspath $(O)/san/cubftpd) $(PYTHON) tests/check.py
san:
	@$(MAKE) O=$(O)/san CFLAGS='-O1 -g -fno-omit-frame-pointer $(SANITIZE)' all tests

check: ## Build strictly and run all tests; installs what they need where apt-get exists
	@tools/setup.sh check
	@$(MAKE) WERROR=1 all tests san
	@$(LIVE) 'tools/tidy.sh $(O)' tests/kconf/test_kconf.py $(SAN_TESTS) --live \
		--valgrind $(VALGRIND_TESTS)
check-unit: san ## Run the tests in C, with sanitizers
	@$(PYTHON) tests/check.py $(SAN_TESTS)
check-live: san ## Run real clients against the server
	@$(LIVE) --live
check-valgrind: tests ## Run the tests in C under valgrind
	@$(PYTHON) tests/check.py --valgrind $(VALGRIND_TESTS)
# With clang's libFuzzer, for as long as one likes. What it finds stays in the folders.
FUZZ_SECONDS ?= 60
FUZZ = -fno-sanitize-recover=all -fsanitize=address,undefined,fuzzer
FUZZ_TESTS = $(O)/host/tests/cubsign/test_fuzz $(O)/tests/story/test_fuzz
define RUN_FUZZER
	@mkdir -p $(O)/fuzz/$(1)/seeds $(O)/fuzz/$(1)/corpus
	@$(2) --write $(O)/fuzz/$(1)/seeds
	cd $(O)/fuzz/$(1) && ../fuzz_$(1) -max_len=4096 -max_total_time=$(FUZZ_SECONDS) corpus seeds
endef
fuzz: $(FUZZ_TESTS) ## Feed the readers of DER, then the server, with bytes (FUZZ_SECONDS=60 each)
	@$(MAKE) O=$(O)/fuzz CC=clang CFLAGS='-O1 -g $(FUZZ)-no-link' \
		$(O)/fuzz/fuzz_der $(O)/fuzz/fuzz_session
	$(call RUN_FUZZER,der,$(abspath $(word 1,$(FUZZ_TESTS))))
	$(call RUN_FUZZER,session,$(abspath $(word 2,$(FUZZ_TESTS))))
$(O)/fuzz_der: $(O)/host/tests/fuzz/fuzz_der.o $(HOST_PARTS)
	$(LINK_PROGRAM) $(FUZZ) $(LIBS)
$(O)/fuzz_session: $(addprefix $(O)/tests/,fuzz/fuzz_session.o story/story.o) $(CORE) $(SIM)
	$(LINK_PROGRAM) $(FUZZ) -lcmocka $(LIBS)
bench: $(O)/cubftpd ## Measure speed and RAM, beside vsftpd, proftpd and pure-ftpd where installed
	@CUBFTPD=$(abspath $<) $(PYTHON) tests/bench/bench.py
tidy: $(CORE) ## Check what the compiler doesn't: floors, includes, calls, lengths
	@NM='$(NM)' tools/tidy.sh $(O)

# ---- the rest

# The library is linked statically, so that its share can be told.
SIZED = $(MAKE) O=$(O)/size CFLAGS='$(CFLAGS) $(shell tools/stack.py --flags $(CC))' \
	BEARSSL_LIBS='$(BEARSSL_LIBS:-lbearssl=-l:libbearssl.a)'
size: ## Print flash, RAM and stack by part
	@$(SIZED) $(O)/size/cubftpd
	@NM='$(NM)' SIZE='$(SIZE)' $(PYTHON) tools/size.py $(O)/size
	@$(PYTHON) tools/stack.py $(O)/size
	@$(SIZED) $(O)/size/tests/size/stack > $(O)/size/stack.log 2>&1 && \
		$(if $(CROSS_COMPILE),$(RUN),) $(O)/size/tests/size/stack || \
		echo 'Stack: not measured. It wants getcontext(3), which musl does not have;' \
			'and RUN= names what runs programs of the target, such as qemu-arm'

demo: ## Serve a throw-away folder on 127.0.0.1, and say how to connect
	@tools/setup.sh build
	@$(MAKE) all
	@tools/demo.sh $(O)

clean: ## Remove what was built
	rm -rf $(addprefix $(O)/,core port tests host san fuzz size demo) $(O)/cubftpd $(O)/cubsign \
		$(O)/*.map $(O)/autoconf.h $(O)/auto.conf $(O)/flags $(O)/bearssl.ok $(O)/*.tmp
	rmdir $(O) 2> /dev/null || :

help: ## List the goals
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  %-16s%s\n", $$1, $$2 }' Makefile
