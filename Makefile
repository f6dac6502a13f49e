# rcron: build, test, install. `make help` lists the targets.

prefix     ?= /usr/local
bindir     ?= $(prefix)/bin
mandir     ?= $(prefix)/share/man
docdir     ?= $(prefix)/share/doc/rcron
sysconfdir ?= /etc
INSTALL    ?= install
CARGO      ?= cargo

# The wrapper is static: no loader at each tick, and it runs whatever libraries the host has. Linked to a fixed address, it
# needs no relocation either (docs/design/dependencies.md says what that costs). With a target named, the flags do not
# reach build scripts.
target      = $(shell rustc -vV | sed -n 's/^host: //p')
static      = -C target-feature=+crt-static -C relocation-model=static
# CARGO_TARGET_DIR may name another folder.
built       = $(or $(CARGO_TARGET_DIR),target)/$(target)/release/rcron
# Where `make install` finds it: root may have neither rustc nor the same environment.
rcron       = build/rcron

.PHONY: all demo test bench bench-once lint fuzz install uninstall clean help

all: ## build the static wrapper
	RUSTFLAGS="$(static)" $(CARGO) build --release --locked --target $(target) -p rcron
	@mkdir -p build && cp $(built) $(rcron) && echo "built $(rcron)"

demo: all ## show a job move from one server to another
	demo/two-servers $(rcron)

test: all ## install what the tests need, if possible, and run them all
	tools/test $(rcron)

bench: all ## measure beside /bin/true, a shell's one-liner and flock
	$(CARGO) run --quiet --release --locked -p rcron-bench -- --binary $(rcron)

bench-once: all
	$(CARGO) run --quiet --release --locked -p rcron-bench -- --binary $(rcron) --once

lint: ## format, clippy, manual pages, shell scripts
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	mandoc -T lint -W warning docs/man/*.[0-9]
	shellcheck tools/* demo/two-servers .ci/run

fuzz: ## fuzz the grammars for a while (needs nightly)
	tools/fuzz

# No build here: this runs as root.
install: ## install program, manual pages and, if there is none, a configuration file
	@test -x $(rcron) || { echo "no $(rcron) here: run 'make' first, as yourself"; exit 1; }
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(mandir)/man8 $(DESTDIR)$(mandir)/man5
	$(INSTALL) -d $(DESTDIR)$(docdir)/examples $(DESTDIR)$(sysconfdir)/rcron
	$(INSTALL) -m 755 $(rcron) $(DESTDIR)$(bindir)/rcron
	$(INSTALL) -m 644 docs/man/rcron.8 $(DESTDIR)$(mandir)/man8/rcron.8
	$(INSTALL) -m 644 docs/man/rcron.conf.5 $(DESTDIR)$(mandir)/man5/rcron.conf.5
	$(INSTALL) -m 644 README.md CHANGELOG.md $(DESTDIR)$(docdir)
	$(INSTALL) -m 644 examples/* $(DESTDIR)$(docdir)/examples
	@if [ -e $(DESTDIR)$(sysconfdir)/rcron/rcron.conf ]; then \
		echo "$(DESTDIR)$(sysconfdir)/rcron/rcron.conf is kept as it is"; \
	else \
		$(INSTALL) -m 644 examples/rcron.conf $(DESTDIR)$(sysconfdir)/rcron/rcron.conf; \
	fi

uninstall: ## remove all of it but the configuration
	rm -f $(DESTDIR)$(bindir)/rcron $(DESTDIR)$(mandir)/man8/rcron.8 $(DESTDIR)$(mandir)/man5/rcron.conf.5
	rm -rf $(DESTDIR)$(docdir)

clean: ## remove what was built
	$(CARGO) clean
	rm -rf build

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)
