package check

import (
	"fmt"
	"strings"
)

// flags are those that are check's own.
type flags struct {
	json   bool
	as     string
	url    string // of a responder to ask
	issuer string // whose certificate it is asked about
	cert   string // that certificate
	serial string // or its serial number
	staple string // HOST:PORT of a site, or the name of a stapler
	certs  string // folder of issued certificates
	crls   []string
}

// alone says that something is checked that needs no settings.
func (f *flags) alone() bool {
	return f.url != "" && f.issuer != "" || strings.Contains(f.staple, ":")
}

// take reads the flags that are check's own, and returns the others.
func (f *flags) take(args []string) (rest []string, err error) {
	crl := ""
	own := map[string]*string{"as": &f.as, "url": &f.url, "issuer": &f.issuer, "cert": &f.cert, "serial": &f.serial,
		"staple": &f.staple, "certs": &f.certs, "crl": &crl}
	for i := 0; i < len(args); i++ {
		name, isFlag := strings.CutPrefix(args[i], "-")
		name = strings.TrimPrefix(name, "-")
		value := own[name]
		switch {
		case !isFlag:
			rest = append(rest, args[i])
		case name == "json":
			f.json = true
		case name == "h" || name == "?":
			rest = append(rest, "-help")
		case value == nil:
			rest = append(rest, args[i])
		case i+1 == len(args) || args[i+1] == "":
			return nil, fmt.Errorf("-%s: needs %s", name, wants(name))
		default:
			i++
			if *value = args[i]; name == "crl" {
				f.crls = append(f.crls, crl)
			}
		}
	}
	return rest, nil
}

// wants is what a flag has behind it.
func wants(name string) string {
	switch name {
	case "as":
		return "a user"
	case "url":
		return "the URL of a responder"
	case "serial":
		return "a serial number in hex"
	case "staple":
		return "HOST:PORT, or haproxy, nginx, apache or certmagic"
	case "certs":
		return "a folder"
	}
	return "a file"
}
