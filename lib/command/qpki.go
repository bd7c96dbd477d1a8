package command

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"ocspcgi/lib/once"
)

// ServeAs is the verb serve: as without a verb, and with the flags of qpki's
// serve besides, each taken for ours.
func ServeAs(p *once.Program, args []string) int {
	ours, err := oursOf(args)
	if err != nil {
		return once.Fail(err)
	}
	return Serve(p, ours, nil)
}

// oursOf puts our flags in the place of those of qpki. What stands before the
// first -index or -ca-dir there belongs to it here too, so the order is kept.
func oursOf(args []string) ([]string, error) {
	var ours []string
	full := slices.ContainsFunc(args, func(arg string) bool { return flagName(arg) == "addr" })
	for i := 0; i < len(args); i++ {
		name := flagName(args[i])
		_, value, attached := strings.Cut(args[i], "=")
		if full && name == "port" && args[i] != name { // the full address has one of its own
			if !attached {
				i++
			}
			continue
		}
		if !strings.HasPrefix(args[i], "-") || !fromQPKI(name) {
			ours = append(ours, args[i])
			continue
		}
		if !attached {
			if i++; i == len(args) {
				return nil, fmt.Errorf("--%s: needs a value", name)
			}
			value = args[i]
		}
		flag, err := ourFlag(name, value)
		if err != nil {
			return nil, err
		}
		ours = append(ours, flag...)
	}
	return ours, nil
}

// flagName is the name of a flag without its dashes and its value.
func flagName(arg string) string {
	name, _, _ := strings.Cut(arg, "=")
	return strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-")
}

func fromQPKI(name string) bool {
	switch name {
	case "cert", "key", "addr", "validity", "pid-file", "credential", "cred-dir":
		return true
	}
	return false
}

// ourFlag says what a flag of qpki is here.
func ourFlag(name, value string) ([]string, error) {
	switch name {
	case "cert":
		return []string{"-rsigner", value}, nil
	case "key":
		return []string{"-rkey", value}, nil
	case "pid-file":
		return []string{"-pid_file", value}, nil
	case "addr":
		if _, _, err := net.SplitHostPort(value); err != nil {
			return nil, fmt.Errorf("--addr %s: write it as HOST:PORT or :PORT", value)
		}
		return []string{"-port", strings.TrimPrefix(value, ":")}, nil
	case "validity":
		d, err := time.ParseDuration(value)
		if err != nil || d < time.Minute || d%time.Minute != 0 {
			return nil, fmt.Errorf("--validity %s: write it in whole minutes or hours, as 30m or 24h", value)
		}
		return []string{"-nmin", fmt.Sprint(int(d / time.Minute))}, nil
	}
	return nil, fmt.Errorf("--%s: the active version of a credential is found in -ca-dir, or beside it; leave it out, or name --cert and --key", name)
}
