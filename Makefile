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
	-I$(O) $(BEARSSL_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(CFLAGS) -Wl,--gc-sections $(LDFLAGS)
LIBS = $(BEARSSL_LIBS) $(LDLIBS)
POSIX = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || date +%s))

objects = $(patsubst %.c,$(O)/%.o,$(wildcard $(1)))
CORE := $(call objects,core/*.c)
PORT := $(call objects,port/linux/*.c)
SIM := $(call objects,tests/sim/*.c)
PORT_PARTS := $(filter-out %/main.o,$(PORT))

# Each file in tools/ is a program of the host, each test_*.c a program of tests.
TOOLS := $(patsubst tools/%.c,$(O)/%,$(wildcard tools/*.c))
TESTS := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/test_*.c tests/story/test_*.c))
PORT_TESTS := $(filter $(O)/tests/unit/test_port_%,$(TESTS))

.PHONY: all tools tests san demo check check-unit check-live check-valgrind tidy size \
	install clean help menuconfig defconfig olddefconfig savedefconfig FORCE

all: $(O)/cubftpd tools ## Build the server (the default)
tools: $(TOOLS)
tests: $(TESTS) ; @:

# ---- configuration: Kconfig and .config become a header and make variables

KCONF = awk -f tools/kconf.awk
DOTCONFIG = $(wildcard $(KCONFIG_CONFIG))

# These goals have to work where .config is broken.
ifneq ($(filter-out clean help %config,$(or $(MAKECMDGOALS),all)),)
include $(O)/auto.conf
endif

# Always run, replace only on change: deleting .config must take effect too.
$(O)/autoconf.h: OUT = header
$(O)/auto.conf: OUT = config
$(O)/autoconf.h $(O)/auto.conf: FORCE
	@mkdir -p $(O)
	@$(KCONF) -v out=$(OUT) Kconfig $(DOTCONFIG) > $@.tmp || { rm -f $@.tmp; exit 1; }
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
$(O)/flags: $(if $(filter-out install,$(or $(MAKECMDGOALS),all)),FORCE)
	@$(file > $@.tmp,$(COMPILE) $(LINK) $(LIBS)) \
		if cmp -s $@.tmp $@; then rm $@.tmp; else mv $@.tmp $@; fi

$(O)/bearssl.ok: $(O)/flags
	@echo '#include <bearssl.h>' | $(COMPILE) -E -x c - > $@.tmp 2>&1 || { \
		if grep -q 'bearssl\.h' $@.tmp; then \
			echo 'bearssl.h not found: on Debian and Ubuntu `apt-get install libbearssl-dev`;' \
				'elsewhere install BearSSL 0.6 or later and say `make BEARSSL=/its/prefix`'; \
		else cat $@.tmp; fi >&2; rm $@.tmp; exit 1; }
	@mv $@.tmp $@

$(O)/%.o: %.c $(O)/flags | $(O)/autoconf.h $(O)/bearssl.ok
	@mkdir -p $(@D)
	$(call SAY,CC $<)$(COMPILE) $(if $(WERROR),-Werror) $(DEFINES) -MMD -MP -c -o $@ $<

# Only the clock knows the build's date, so that a new date makes nothing else anew.
$(O)/core/clock.o: DEFINES = -DCUB_BUILD_EPOCH=$(EPOCH)
$(O)/port/%.o: DEFINES = $(POSIX)
$(O)/tests/%.o $(O)/tools/%.o: DEFINES = $(POSIX) -I. -Icore -Itests/sim

LINK_PROGRAM = $(call SAY,LD $@)$(LINK) $(WRAP) -Wl,-Map=$@.map -o $@ $(filter %.o,$^)
$(O)/cubftpd: $(CORE) $(PORT)
	$(LINK_PROGRAM) $(LIBS)
$(TOOLS): $(O)/%: $(O)/tools/%.o $(CORE) $(PORT_PARTS)
	$(LINK_PROGRAM) $(LIBS)
$(PORT_TESTS): %: %.o $(CORE) $(PORT_PARTS)
	$(LINK_PROGRAM) -lcmocka $(LIBS)
$(filter-out $(PORT_TESTS),$(TESTS)): %: %.o $(CORE) $(SIM)
	$(LINK_PROGRAM) -lcmocka $(LIBS)
$(filter $(O)/tests/story/%,$(TESTS)): $(O)/tests/story/story.o
# These two replace pbkdf2_start(), so that keys by the thousand are sealed in no time.
$(addprefix $(O)/tests/unit/test_,seal identity): private WRAP = -Wl,--wrap=pbkdf2_start

$(O)/tests/size/stack: %: %.o $(CORE) $(SIM)
	$(LINK_PROGRAM) $(LIBS)

-include $(patsubst %.o,%.d,$(CORE) $(PORT) $(SIM) $(TESTS:=.o) \
	$(call objects,tools/*.c tests/story/story.c tests/size/stack.c))

install: $(O)/cubftpd ## Install below $(DESTDIR)$(PREFIX), and an example configuration
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(SYSCONFDIR)
	install -m 755 $(O)/cubftpd $(DESTDIR)$(PREFIX)/sbin/cubftpd
	test -e $(DESTDIR)$(SYSCONFDIR)/cubftpd.conf || \
		install -m 644 port/linux/cubftpd.conf $(DESTDIR)$(SYSCONFDIR)/cubftpd.conf

# ---- tests

# The same again in a folder of its own, with the sanitizers.
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
SAN_TESTS = $(TESTS:$(O)/%=$(O)/san/%)
LIVE = CUBFTPD=$(abspath $(O)/san/cubftpd) $(PYTHON) tests/check.py
san:
	@$(MAKE) O=$(O)/san CFLAGS='-O1 -g -fno-omit-frame-pointer $(SANITIZE)' all tests

check: ## Build strictly and run all tests; installs what they need where apt-get exists
	@tools/setup.sh check
	@$(MAKE) WERROR=1 all tests san
	@$(LIVE) 'tools/tidy.sh $(O)' tests/kconf/test_kconf.py $(SAN_TESTS) --live \
		--valgrind $(TESTS)
check-unit: san ## Run the tests in C, with sanitizers
	@$(PYTHON) tests/check.py $(SAN_TESTS)
check-live: san ## Run real clients against the server
	@$(LIVE) --live
check-valgrind: tests ## Run the tests in C under valgrind
	@$(PYTHON) tests/check.py --valgrind $(TESTS)
tidy: $(CORE) ## Check what the compiler doesn't: floors, includes, calls, lengths
	@NM='$(NM)' tools/tidy.sh $(O)

# ---- the rest

# The library is linked statically, so that its share can be told.
size: ## Print flash, RAM and stack by part
	@$(MAKE) O=$(O)/size CFLAGS='$(CFLAGS) $(shell tools/stack.py --flags $(CC))' \
		BEARSSL_LIBS='$(BEARSSL_LIBS:-lbearssl=-l:libbearssl.a)' \
		$(O)/size/cubftpd $(O)/size/tests/size/stack
	@NM='$(NM)' SIZE='$(SIZE)' $(PYTHON) tools/size.py $(O)/size
	@$(PYTHON) tools/stack.py $(O)/size
	@$(if $(CROSS_COMPILE),$(RUN),) $(O)/size/tests/size/stack || \
		echo 'Stack: not measured; RUN= names what runs programs of the target, such as qemu-arm'

demo: ## Serve a throw-away folder on 127.0.0.1, and say how to connect
	@tools/setup.sh build
	@$(MAKE) all
	@tools/demo.sh $(O)

clean: ## Remove what was built
	rm -rf $(addprefix $(O)/,core port tests tools san size demo) $(O)/cubftpd $(TOOLS) \
		$(O)/*.map $(O)/autoconf.h $(O)/auto.conf $(O)/flags $(O)/bearssl.ok $(O)/*.tmp
	rmdir $(O) 2> /dev/null || :

help: ## List the goals
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  %-16s%s\n", $$1, $$2 }' Makefile
