package config

import (
	"errors"
	"fmt"
)

// told is what one of the three places said.
type told struct {
	global   values
	defaults values // issuer settings for all groups
	groups   []group
	faults   faults
	named    func(setting string) string // what a setting is called there
}

// group is what was said about one issuer.
type group struct {
	at      string
	values  values
	signers []signerGroup
}

// signerGroup is what was said about one signer.
type signerGroup struct {
	at     string
	values values
}

// values are settings by name; more than one value where they add up.
type values map[string][]value

// value is a setting's text with its place: "-nmin (argument 3)", "OCSP_NMIN"
// or "FILE:7: nmin".
type value struct {
	text string
	at   string
}

// put refuses a second value for what does not add up.
func (vs values) put(s *setting, v value) error {
	if given := vs[s.name]; len(given) > 0 && !s.repeats() {
		return fmt.Errorf("%s: given twice, first as %s", v.at, given[0].at)
	}
	vs[s.name] = append(vs[s.name], v)
	return nil
}

// faults are collected, for people mend all of them at once.
type faults []error

// mostFaults are listed: nobody mends more at once, and a file that is none of
// ours has one in each line.
const mostFaults = 100

// join makes an error of them, nil of none.
func (f faults) join() error {
	if more := len(f) - mostFaults; more > 0 {
		f = append(f[:mostFaults:mostFaults], fmt.Errorf("%d more faults are not listed", more))
	}
	return errors.Join(f...)
}

func (f *faults) add(err error) {
	if err != nil {
		*f = append(*f, err)
	}
}

func (f *faults) addf(format string, a ...any) { *f = append(*f, fmt.Errorf(format, a...)) }
