package config

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind says how a setting is written.
type kind string

const (
	text        kind = "text"
	path        kind = "path"
	paths       kind = "paths"
	words       kind = "texts"
	listen      kind = "addresses"
	address     kind = "address"
	port        kind = "port"
	passin      kind = "source"
	boolean     kind = "boolean"
	count       kind = "number"
	seconds     kind = "seconds"
	duration    kind = "duration"
	size        kind = "size"
	mode        kind = "mode"
	choice      kind = "choice"
	unused      kind = "none" // a flag that changes nothing
	unusedValue kind = "any"  // the same, with a value
	refused     kind = "refused"
)

// assign sets the field that target points to. Nothing given leaves it alone.
func (s *setting) assign(target any, given []value) error {
	if len(given) == 0 {
		return nil
	}
	if list, ok := target.(*[]string); ok {
		for _, v := range given {
			if err := s.check(v); err != nil {
				return err
			}
			*list = append(*list, v.text)
		}
		return nil
	}
	v := given[0]
	if err := s.check(v); err != nil {
		return err
	}
	var err error
	switch field := target.(type) {
	case *string:
		*field = v.text
	case *Secret:
		*field = Secret(v.text)
	case *bool:
		*field, err = parseBool(v.text)
	case *int:
		*field, err = parseCount(v.text)
	case *int64:
		*field, err = parseSize(v.text)
	case *time.Duration:
		*field, err = s.parseDuration(v.text)
	case *os.FileMode:
		*field, err = parseMode(v.text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", v.at, err)
	}
	return nil
}

// check judges what needs no conversion.
func (s *setting) check(v value) error {
	fault := ""
	switch {
	case v.text == "":
		fault = "empty; give a value or leave it out"
	case s.kind == choice && !slices.Contains(strings.Fields(s.choices), v.text):
		fault = fmt.Sprintf("%q is none of %s", v.text, strings.ReplaceAll(s.choices, " ", ", "))
	case s.kind == listen && !goodListen(v.text):
		fault = fmt.Sprintf("%q is none of unix:PATH, tcp:HOST:PORT, http:HOST:PORT", v.text)
	case s.kind == address && (!goodListen(v.text) || strings.HasPrefix(v.text, "tcp:")):
		fault = fmt.Sprintf("%q is none of unix:PATH, http:HOST:PORT", v.text)
	case s.kind == port && !goodListen(listenPort(v.text)):
		fault = fmt.Sprintf("%q is no port; give N, HOST:N or [ADDRESS]:N", v.text)
	case s.kind == passin && !v.secret().wellFormed():
		fault = "give pass:PHRASE, env:NAME, file:PATH, fd:N, stdin or credential:NAME"
	default:
		return nil
	}
	return fmt.Errorf("%s: %s", v.at, fault)
}

func parseBool(t string) (bool, error) {
	switch strings.ToLower(t) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", t)
}

func parseCount(t string) (int, error) {
	n, err := strconv.ParseInt(t, 10, 32)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is no whole number from 1 to %d", t, math.MaxInt32)
	}
	return int(n), nil
}

func (s *setting) parseDuration(t string) (time.Duration, error) {
	if n, err := strconv.ParseInt(t, 10, 32); err == nil && n > 0 && s.kind == seconds {
		return time.Duration(n) * time.Second, nil
	}
	if d, ok := parseUnits(t); ok {
		return d, nil
	}
	return 0, fmt.Errorf("%q is no duration; write it like 30s, 5m, 12h or 90d", t)
}

// parseUnits reads whole numbers each followed by s, m, h or d, and 0.
func parseUnits(t string) (sum time.Duration, ok bool) {
	if t == "0" {
		return 0, true
	}
	for t != "" {
		i := strings.IndexAny(t, "smhd")
		if i < 0 {
			return 0, false
		}
		n, err := strconv.ParseUint(t[:i], 10, 31)
		unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[t[i]]
		if err != nil || time.Duration(n) > (math.MaxInt64-sum)/unit {
			return 0, false
		}
		sum, t, ok = sum+time.Duration(n)*unit, t[i+1:], true
	}
	return sum, ok
}

// parseSize reads bytes, or a number followed by K, M or G (times 1024), each
// also as KiB, MiB, GiB.
func parseSize(t string) (int64, error) {
	number, shift := t, 0
	for i, unit := range []string{"K", "M", "G"} {
		for _, suffix := range []string{unit, unit + "iB"} {
			if n, ok := strings.CutSuffix(t, suffix); ok {
				number, shift = n, 10*(i+1)
			}
		}
	}
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is no size; write it like 65536, 512K or 64MiB", t)
	}
	return int64(n) << shift, nil
}

func parseMode(t string) (os.FileMode, error) {
	n, err := strconv.ParseUint(t, 8, 32)
	if err != nil || n > 0o777 {
		return 0, fmt.Errorf("%q is no mode; write it in octal like 0660", t)
	}
	return os.FileMode(n), nil
}

// listenPort is the address that -port [HOST:]N means.
func listenPort(p string) string {
	if strings.Contains(p, ":") {
		return "http:" + p
	}
	return "http::" + p
}

func goodListen(address string) bool {
	scheme, rest, _ := strings.Cut(address, ":")
	switch scheme {
	case "unix":
		return rest != ""
	case "tcp", "http":
		return goodHostPort(rest)
	}
	return false
}

// goodHostPort accepts HOST:PORT and [ADDRESS]:PORT; an empty host is all.
func goodHostPort(s string) bool {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return false
	}
	host := s[:i]
	if inner, ok := strings.CutPrefix(host, "["); ok {
		if host, ok = strings.CutSuffix(inner, "]"); !ok || host == "" {
			return false
		}
	} else if strings.Contains(host, ":") {
		return false
	}
	_, err := strconv.ParseUint(s[i+1:], 10, 16)
	return err == nil && !strings.ContainsAny(host, "[] /")
}
