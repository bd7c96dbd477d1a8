package command

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"ocspcgi/lib/config"
	"ocspcgi/lib/once"
)

// line is a command line without a verb, as openssl ocsp has it, as far as it
// says what is wanted.
type line struct {
	given []string // flags
	about subjects // what -issuer, -cert and -serial name, for a request of one's own
	fault error    // of these
}

// readLine goes over a command line. What is wrong with it is for config to say.
func readLine(args []string) *line {
	values := map[string]bool{}
	for _, s := range config.Settings() {
		values[s.Name] = s.Value
	}
	l := &line{}
	for i := 0; i < len(args); i++ {
		name, value, attached := strings.Cut(args[i], "=")
		name = strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-")
		takes, known := values[name]
		if len(name) == len(args[i]) || !known {
			continue
		}
		if takes && !attached && i+1 < len(args) {
			i++
			value = args[i]
		}
		l.given = append(l.given, name)
		l.names(name, value)
	}
	return l
}

// names takes a flag that names a certificate.
func (l *line) names(flag, value string) {
	switch flag {
	case "issuer":
		l.about.settle(value)
	case "cert":
		l.about.add(named{cert: value})
	case "serial":
		if n, ok := parseNumber(value); ok {
			value = n.Text(16)
		} else {
			l.fault = errors.Join(l.fault, fmt.Errorf("-serial %q is no number, as 0x1003 or 4099", value))
		}
		l.about.add(named{serial: value})
	default:
		if hash, known := digest(flag); known {
			l.about.hash = hash // that nothing follows is no matter here: guides have it last
		}
	}
}

// parseNumber reads a serial number as openssl ocsp does: hexadecimal behind 0x, or
// else decimal, also with zeros in front.
func parseNumber(text string) (*big.Int, bool) {
	digits, negative := strings.CutPrefix(text, "-")
	base := 10
	if hex, ok := strings.CutPrefix(strings.ToLower(digits), "0x"); ok {
		digits, base = hex, 16
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok || strings.ContainsAny(digits, "+-") {
		return nil, false
	}
	if negative {
		n.Neg(n)
	}
	return n, true
}

func (l *line) has(flags ...string) bool {
	return slices.ContainsFunc(flags, func(flag string) bool { return slices.Contains(l.given, flag) })
}

// openssl says whether the line is one for a responder as openssl knows it.
func (l *line) openssl() bool { return l.has("reqin", "port") || l.asks() }

// asks says whether the request is to be made from the line itself.
func (l *line) asks() bool {
	return l.has("index", "ca-dir") && l.has("cert", "serial") && !l.has("reqin", "port", "listen")
}

// warnings are those of the settings but for flags that the line itself heeds.
func (l *line) warnings(all []string) []string {
	if !l.asks() {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(warning string) bool {
		flag, _, _ := strings.Cut(warning, " ")
		return flag == "-issuer" || flag == "-cert" || flag == "-serial"
	})
}

// misplaced returns an error that names the verb which does what a line of a
// client asks for; nil for any other line.
func (l *line) misplaced() error {
	if l.has("index", "ca-dir", "config", "listen", "port") {
		return nil
	}
	verb, does := "", ""
	switch {
	case l.has("url", "host"):
		verb, does = "query", "asks a responder"
	case l.has("respin"):
		verb, does = "verify", "says whether a response is to be believed (and info what it says)"
	case l.has("cert", "serial", "issuer"):
		verb, does = "request", "makes a request (and query asks a responder)"
	default:
		return nil
	}
	return fmt.Errorf("without -index this is a line of a client, and without a verb ocspcgi is a responder.\n"+
		"ocspcgi %[1]s %[2]s, with the same flags; ocspcgi %[1]s -h lists them", verb, does)
}

// fail says why the line does not work, and returns the exit code: that of
// openssl for a line of openssl's. What a server finds out when it starts, beyond
// its flags, has ours in any case: a supervisor is not to start it again.
func (l *line) fail(err error) int {
	code := once.Fail(err)
	if l.openssl() {
		return once.ExitFailed
	}
	return code
}

// request is the one that the line asks for itself.
func (l *line) request() ([]byte, error) {
	if l.fault != nil {
		return nil, l.fault
	}
	about, err := l.about.find()
	if err != nil {
		return nil, err
	}
	return newRequest(about, nil)
}
