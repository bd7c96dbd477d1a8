# make            builds bin/ocspcgi, and bin/ocsp.cgi, the small one for CGI alone
# make demo       a CA, served and asked, to play with (ONCE=1: ends by itself)
# make test       all tests, with the real servers; TESTFLAGS go to go test
# CONTRIBUTING.md has the rest.

GO        ?= go
BIN       := bin/ocspcgi
CGI       := bin/ocsp.cgi
VERSION    = $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)
FLAGS      = -trimpath -buildvcs=false -buildmode=exe -ldflags '-s -w -X main.version=$(VERSION)'
PREFIX    ?= /usr/local
CGIBIN    ?= /usr/lib/cgi-bin
SHARE      = $(PREFIX)/share
MANDIR     = $(SHARE)/man
UNITS      = $(PREFIX)/lib/systemd/system
TESTFLAGS ?=
FUZZTIME  ?= 60s
FUZZ      ?= .
PARALLEL  ?=
ALL       ?=
COUNT     ?= 3
T         ?= 30m
SEED      ?= 0
ROWS      ?= 40

# What packages are called: the version as their formats have it, or the number of
# commits where nothing is tagged.
PKGVERSION = $(shell git describe --tags --match 'v[0-9]*' 2>/dev/null | sed 's/^v//; s/-/+/; s/-/./g' | grep . || echo 0.0.$$(git rev-list --count HEAD 2>/dev/null || echo 0))
EPOCH      = $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

# Each file that install writes.
INSTALLED  = $(PREFIX)/bin/ocspcgi $(PREFIX)/bin/ocspcgi-deliver $(CGIBIN)/ocspcgi $(CGIBIN)/ocsp.cgi \
	$(patsubst bin/share/man/%,$(MANDIR)/man8/%,$(wildcard bin/share/man/*.8.gz)) $(MANDIR)/man8/ocspcgi.8.gz \
	$(MANDIR)/man5/ocspcgi.toml.5.gz $(SHARE)/bash-completion/completions/ocspcgi \
	$(SHARE)/zsh/site-functions/_ocspcgi $(SHARE)/fish/vendor_completions.d/ocspcgi.fish \
	$(addprefix $(UNITS)/,ocspcgi.service ocspcgi.socket ocspcgi-signer.service ocspcgi-signer.socket)

# What the tests run the program with, and what asks it.
SERVERS := apache2 nginx mod_fcgid lighttpd mini_httpd caddy haproxy spawn-fcgi systemd-socket-activate systemd-analyze strace
CLIENTS := curl gnutls-cli gnutls-serv ocsptool pki stunnel botan ocspclnt certutil

# What verifies answers of ML-DSA, which openssl before 3.5 cannot.
NOBLE   := testdata/noble/node_modules/.package-lock.json

# What shows pages and completes.
PAGES   := man mandoc zsh fish

# Where servers are installed, which people do not always have on their path.
export PATH := $(PATH):/usr/local/go/bin:/usr/local/sbin:/usr/sbin:/sbin

.PHONY: build pkcs11 demo test interop browser race lint vuln fuzz figures tables flood bench bench-chart testdata install uninstall share sbom deb rpm apk dist package clean guides truth soak ci-long

# No cgo and no PIE: each would add a third to the start of a CGI process.
build:
	@.ci/programs go
	CGO_ENABLED=0 $(GO) build $(FLAGS) -o $(BIN) .
	CGO_ENABLED=0 $(GO) build $(FLAGS) -o $(CGI) ./cgi/cgibin

# With cgo, for the modules of PKCS#11 tokens are C libraries.
pkcs11:
	@.ci/programs go gcc
	CGO_ENABLED=1 $(GO) build -tags 'pkcs11 netgo osusergo' $(FLAGS) -o $(BIN)-pkcs11 .

demo: build
	@.ci/programs openssl
	$(BIN) demo $(if $(ONCE),-once)

test: build pkcs11 $(NOBLE)
	@.ci/programs openssl softhsm2-util easy-rsa cgi-fcgi node jq $(SERVERS) $(CLIENTS) $(PAGES)
	CGO_ENABLED=1 $(GO) test -race -tags pkcs11 -run Token $(TESTFLAGS) ./lib/signer
	$(GO) test $(TESTFLAGS) ./...

$(NOBLE): testdata/noble/package-lock.json
	@.ci/programs node npm
	cd testdata/noble && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

# What each real server answers to each request, and what each real client makes
# of the answers, as two tables.
interop: build
	@.ci/programs openssl $(SERVERS) $(CLIENTS)
	$(GO) test -count=1 -v -run '^(TestTable|TestClients)$$' ./lib/servers ./lib/clients

# Every test, and every program that one starts, with the race detector.
race:
	$(MAKE) --no-print-directory test TESTFLAGS='-race -timeout 30m $(TESTFLAGS)'

lint: vuln
	@.ci/programs go gcc
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change:" $$unformatted; exit 1; }
	$(GO) vet ./...
	CGO_ENABLED=1 $(GO) vet -tags pkcs11 ./lib/signer
	$(GO) tool staticcheck ./...
	CGO_ENABLED=1 $(GO) tool staticcheck -tags pkcs11 ./lib/signer
	$(GO) mod tidy -diff
	$(GO) mod verify

# What is known to be wrong with what is built; says so where nobody can be asked.
vuln:
	@.ci/programs go gcc
	.ci/vuln

fuzz:
	@.ci/programs go openssl
	.ci/fuzz $(if $(PARALLEL),-parallel $(PARALLEL)) $(if $(ALL),-all) $(FUZZTIME) '$(FUZZ)'
	@$(MAKE) --no-print-directory tables

# Runs the tests of SECURITY.md's faults and attacks, and notes there what they count.
figures: build
	@.ci/programs openssl softhsm2-util easy-rsa $(SERVERS)
	.ci/figures
	@$(MAKE) --no-print-directory tables

# Puts what is in .ci/fuzzed and .ci/figured into SECURITY.md.
tables:
	$(GO) test -count=1 -run '^(TestFuzzed|TestFigured)$$' . -args -write

# Installs who it is measured beside, and records what the table says; bench-chart
# draws that, and puts it into the README.
bench: build
	@.ci/programs openssl wrk libfcgi-dev gcc softhsm2-util nginx apache2
	.ci/bench $(COUNT)

bench-chart:
	@.ci/programs go
	$(GO) test -count=1 -run '^TestDrawn$$' ./lib/bench -args -draw

# The pages for people in a real browser, and the metrics by Prometheus' own tool.
browser: build
	@.ci/programs openssl chromium promtool
	$(GO) test -count=1 -tags browser -run Browser ./lib/conformance

# Each guide of lib/command/help/guides, followed word for word on a Debian
# machine of its own; needs root.
guides: deb pkcs11
	@.ci/programs openssl apache2 nginx curl systemd-analyze unshare ip shellcheck rsync ssh sshd \
		gnutls-cli haproxy socat firefox-esr jq easy-rsa \
		softhsm2-util pkcs11-tool certtool
	.ci/openssl35 bin/openssl35
	$(GO) test -count=1 -timeout 60m -v ./lib/guides -args -follow

# CAs at work for as long as T, while clients ask: no answer may be wrong. SEED
# has the CAs do again what they did; ROWS is how large their indexes are at first.
# RECORD=1 puts the figures into SECURITY.md.
truth: build
	@.ci/programs openssl apache2 nginx
	$(call long,TestTruth,-for $(T) -seed $(SEED) -rows $(ROWS))

# The program at full rate for as long as T, an hour where nothing is said, while its
# files change and others send garbage: nothing may fail, and nothing be left over.
# RECORD=1 as above.
soak: build
	@.ci/programs openssl nginx
	$(call long,TestSoak,-soak $(if $(filter file,$(origin T)),1h,$(T)) -seed $(SEED))

# $(call long,TEST,FLAGS) runs a test of lib/truth for as long as wanted.
long = $(if $(RECORD),.ci/figures 'lib/truth $1' $2 && $(MAKE) --no-print-directory tables,$(GO) test -count=1 -timeout 0 -v -run '^$1$$' ./lib/truth -args $2)

# Ten times as many signatures are asked for as can be made: who has to wait too long is
# told so at once, and nothing is left over of it seconds later.
flood:
	@.ci/programs go openssl
	$(GO) test -count=1 -run '^$$' -bench '^BenchmarkFlood$$' -benchtime 1x ./lib/bench

# Takes longer than anybody waits for.
ci-long: race fuzz guides browser package flood truth soak

testdata:
	@.ci/programs openssl
	testdata/make-ca.sh

# Manual pages, completions and what else is installed beside the programs.
share: $(BIN)
	@lib/package/share bin/share

# What the programs are made of, as CycloneDX: bin/ocspcgi.cdx.json and the like.
sbom: build
	@.ci/programs jq
	@lib/package/sbom $(PKGVERSION) $(BIN) $(CGI) $(wildcard $(BIN)-pkcs11)

# Packages for this machine's architecture; its files are in lib/package/nfpm.yaml.
deb rpm apk: sbom
	@$(MAKE) --no-print-directory share
	@ARCH=$$($(GO) env GOARCH) PKGVERSION=$(PKGVERSION) SOURCE_DATE_EPOCH=$(EPOCH) \
		$(GO) tool -modfile=lib/package/nfpm.mod nfpm package -f lib/package/nfpm.yaml -p $@ -t bin/

# A tarball for each system that it is built for, the same bytes each time.
dist: build
	@.ci/programs jq
	@$(MAKE) --no-print-directory share
	@lib/package/dist bin/dist $(PKGVERSION) bin/share $(FLAGS)

# Installs, upgrades and purges the package for real, on a Debian machine of its
# own that is thrown away; builds for all systems twice. Needs root.
package: deb rpm apk
	@.ci/programs openssl apache2 nginx man adduser logrotate lintian rpm rpm2cpio cpio unshare systemd-analyze
	$(GO) test -count=1 -timeout 120m -v ./lib/package -args -package

# As root after make: what is built already is what is installed.
install: $(BIN)
	@test -d bin/share || $(MAKE) --no-print-directory share
	install -d $(addprefix $(DESTDIR),$(sort $(dir $(INSTALLED))))
	install -m 0755 $(BIN) lib/package/ocspcgi-deliver $(DESTDIR)$(PREFIX)/bin
	install -m 0755 $(BIN) $(CGI) $(DESTDIR)$(CGIBIN)
	install -m 0644 bin/share/man/*.8.gz $(DESTDIR)$(MANDIR)/man8
	install -m 0644 bin/share/man/*.5.gz $(DESTDIR)$(MANDIR)/man5
	install -m 0644 bin/share/completions/ocspcgi.bash $(DESTDIR)$(SHARE)/bash-completion/completions/ocspcgi
	install -m 0644 bin/share/completions/_ocspcgi $(DESTDIR)$(SHARE)/zsh/site-functions
	install -m 0644 bin/share/completions/ocspcgi.fish $(DESTDIR)$(SHARE)/fish/vendor_completions.d
	install -m 0644 lib/servers/ocspcgi.service lib/servers/ocspcgi.socket lib/servers/ocspcgi-signer.service lib/servers/ocspcgi-signer.socket $(DESTDIR)$(UNITS)

# Takes away what install has put there, and nothing else: no settings, no CA.
uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))

$(BIN):
	$(MAKE) --no-print-directory build

clean:
	rm -rf bin
