package truth_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

var record = flag.Bool("record", false, "add the figures of TestSoak to testdata/soaks.tsv, and show them in SECURITY.md")

// figures are what a soak has found.
type figures struct {
	length                                                time.Duration
	requests, failed, untold, garbage, reloads, rotations int64
	before, after                                         vitals
	quiet, loaded                                         time.Duration // of 99 % of the requests
}

func (f figures) String() string {
	return fmt.Sprintf("%v: %d requests, %d failed, %d rightly told to try later, %d of garbage, %d reloads, %d rotations; %d KiB, then %d; %d descriptors, then %d; %d goroutines, then %d; 99 %% within %v while quiet, %v under load",
		f.length, f.requests, f.failed, f.untold, f.garbage, f.reloads, f.rotations, f.before.kib, f.after.kib,
		f.before.files, f.after.files, f.before.goroutines, f.after.goroutines, f.quiet.Round(time.Microsecond), f.loaded.Round(time.Microsecond))
}

// faults is what is wrong with them.
func (f figures) faults() (faults []string) {
	long := f.length >= time.Minute
	for _, test := range []struct {
		wrong bool
		what  string
	}{
		{f.failed > 0, "requests failed"},
		{f.requests == 0 || f.garbage == 0 || f.reloads == 0 || f.rotations == 0, "something did not happen at all"},
		{f.after.files > f.before.files, "more descriptors are open than before"},
		{f.after.goroutines > f.before.goroutines, "there are more goroutines than before"},
		{long && f.after.kib*10 > f.before.kib*11, "more memory is taken than before, and a tenth"},
		{long && f.loaded > 3*f.quiet, "99 % of the requests take more than three times as long as while it is quiet"},
	} {
		if test.wrong {
			faults = append(faults, test.what)
		}
	}
	return faults
}

// TestFigures has each fault found, and nothing else.
func TestFigures(t *testing.T) {
	sound := figures{length: time.Minute, requests: 1, garbage: 1, reloads: 1, rotations: 1,
		before: vitals{1000, 10, 10}, after: vitals{1100, 10, 9}, quiet: time.Millisecond, loaded: 3 * time.Millisecond}
	for _, test := range []struct {
		what  string
		spoil func(*figures)
	}{
		{"", func(*figures) {}},
		{"requests failed", func(f *figures) { f.failed = 1 }},
		{"did not happen", func(f *figures) { f.requests = 0 }},
		{"did not happen", func(f *figures) { f.garbage = 0 }},
		{"did not happen", func(f *figures) { f.reloads = 0 }},
		{"did not happen", func(f *figures) { f.rotations = 0 }},
		{"more descriptors", func(f *figures) { f.after.files++ }},
		{"more goroutines", func(f *figures) { f.after.goroutines += 2 }},
		{"more memory", func(f *figures) { f.after.kib++ }},
		{"three times", func(f *figures) { f.loaded++ }},
	} {
		f := sound
		test.spoil(&f)
		faults := strings.Join(f.faults(), ", ")
		if !strings.Contains(faults, test.what) || (test.what == "") != (faults == "") || len(f.faults()) > 1 {
			t.Errorf("%q is found of %v, want %q", faults, f, test.what)
		}
	}
}

const (
	soaksFile    = "testdata/soaks.tsv"
	securityFile = "../../SECURITY.md"
)

// shown is where SECURITY.md has the table.
var shown = regexp.MustCompile(`(?s)<!-- lib/truth/testdata/soaks.tsv -->\n(.*?)<!-- end -->\n`)

// TestSoaksShown holds SECURITY.md to what is recorded.
func TestSoaksShown(t *testing.T) {
	table, err := os.ReadFile(soaksFile)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(securityFile)
	if err != nil {
		t.Fatal(err)
	}
	if part := shown.FindSubmatch(page); part == nil || string(part[1]) != asMarkdown(string(table)) {
		t.Errorf("%s shows other figures than %s has; it should say:\n%s", securityFile, soaksFile, asMarkdown(string(table)))
	}
}

// asMarkdown is the table for people.
func asMarkdown(tsv string) string {
	var out strings.Builder
	out.WriteString("\n")
	for i, line := range strings.Split(strings.TrimSpace(tsv), "\n") {
		fmt.Fprintf(&out, "| %s |\n", strings.ReplaceAll(line, "\t", " | "))
		if i == 0 {
			fmt.Fprintf(&out, "|%s\n", strings.Repeat(" --- |", 1+strings.Count(line, "\t")))
		}
	}
	out.WriteString("\n")
	return out.String()
}

// record adds the figures to the table, and to SECURITY.md.
func (f figures) record(t *testing.T) {
	t.Helper()
	table, err := os.ReadFile(soaksFile)
	if err != nil {
		t.Fatal(err)
	}
	table = fmt.Appendf(table, "%s\t%v\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f, %.1f\t%d, %d\t%d, %d\t%.2f, %.2f\n", time.Now().UTC().Format(time.DateOnly), f.length, runtime.NumCPU(),
		f.requests, f.failed, f.untold, f.garbage, f.reloads, f.rotations, float64(f.before.kib)/1024, float64(f.after.kib)/1024,
		f.before.files, f.after.files, f.before.goroutines, f.after.goroutines, f.quiet.Seconds()*1000, f.loaded.Seconds()*1000)
	page, err := os.ReadFile(securityFile)
	if err != nil {
		t.Fatal(err)
	}
	part := shown.FindSubmatchIndex(page)
	if part == nil {
		t.Fatalf("%s has no place for the table", securityFile)
	}
	next := string(page[:part[2]]) + asMarkdown(string(table)) + string(page[part[3]:])
	for name, text := range map[string]string{soaksFile: string(table), securityFile: next} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSoakFails has a soak find what is wrong on purpose: also what the truth
// excuses, and what only a signature shows that is not looked at each time.
func TestSoakFails(t *testing.T) {
	for name, spoil := range map[string]func(respond) respond{"": nil, "it gives up": giveUp, "a byte is changed": garble, "an answer is given again": parroting} {
		a := newAuthority(t, 1, 40, nil)
		a.work.set(true) // so that whoever gives up is excused
		s := &soak{a: a, tally: tally{counts: map[string]map[string]int{}}}
		m := &medium{name: name, memory: true, every: 16, produced: &produced{last: map[string]time.Time{}},
			ask: wrong{index: eager, spoil: spoil}.ask(t, a)}
		rng := rand.New(rand.NewPCG(1, 1))
		for range 200 {
			x, err := m.once(rng, a, &s.tally)
			if err != nil {
				t.Fatal(err)
			}
			s.note(x)
		}
		if failed := s.failed(); (failed > 0) != (spoil != nil) {
			t.Errorf("%q: %d requests failed: %q", name, failed, s.tally.faults)
		}
	}
}
