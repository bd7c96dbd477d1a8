package bench_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// tableFile has what the last quiet run has measured.
const tableFile = "testdata/table.tsv"

// figure is one line of the table: what ours reaches, and what it is set
// against. Of Least and Most one is what is asked of the ratio; neither: nothing.
type figure struct {
	Part   string
	What   string
	Unit   string
	Ours   float64
	Peer   string // who reaches Theirs, or "asked"
	Theirs float64
	Ratio  float64
	Least  float64
	Most   float64
}

// atMost is a figure with a bound of its own in place of a peer.
func atMost(what, unit string, ours, bound float64) figure {
	return figure{What: what, Unit: unit, Ours: ours, Peer: "asked", Theirs: bound, Ratio: ours / bound, Most: 1}
}

// limit is what is asked of the ratio.
func (f figure) limit() string {
	switch {
	case f.Least > 0:
		return fmt.Sprintf("≥ %.2f", f.Least)
	case f.Most > 0:
		return fmt.Sprintf("≤ %.2f", f.Most)
	}
	return "-"
}

// misses tells whether the ratio is not what is asked.
func (f figure) misses() bool {
	return f.Least > 0 && f.Ratio < f.Least || f.Most > 0 && f.Ratio > f.Most
}

// verdict says whether the ratio is what is asked, or by how much it is not.
func (f figure) verdict() string {
	asked := f.Least + f.Most
	switch {
	case f.misses():
		return fmt.Sprintf("misses by %.0f %%", 100*math.Abs(f.Ratio-asked)/asked) + f.why()
	case asked == 0:
		return "-"
	}
	return "met"
}

// reasons say why a figure misses what is asked, for those of a part beside a peer.
var reasons = []struct{ part, what, peer, why string }{
	{"fastcgi", "100,000", "", "key, entry and bytes of each answer come from memory, not from a cache"},
	{"fastcgi", "", "", "half a microsecond of a core for PARAMS, look-up and header: then the server is the slower one, and wakes up who asks for each answer"},
	{"sign", "FastCGI with a nonce, P-256", "crypto/ecdsa", "who asks and the kernel share the cores: see the bare loop that signs"},
	{"sign", "FastCGI with a nonce, RSA-2048", "", "who asks and the kernel share the cores"},
	{"sign", "HTTP with a nonce, RSA-2048", "", "Go takes twice the time of OpenSSL for an RSA signature: use a P-256 signer"},
	{"index", "a look-up", "", "memory: see two loads that no cache has"},
	{"reload", "99th", "", "the index is read by threads that give way, but while they hold a core"},
	{"cgi", "RSA-2048, 1 thousand rows, CPU", "", "Go takes twice the time of OpenSSL for an RSA signature: use a P-256 signer"},
	{"cgi", "", "", "a Go program that only links crypto/x509 starts in 1.4 times the empty one"},
}

// why returns the reason of a miss.
func (f figure) why() string {
	for _, r := range reasons {
		if r.part == f.Part && strings.Contains(f.What, r.what) && strings.HasPrefix(f.Peer, r.peer) {
			return ": " + r.why
		}
	}
	return ""
}

// amount writes a number with its unit, to three digits or to the whole.
func amount(n float64, unit string) string {
	text := strconv.FormatFloat(n, 'f', 0, 64)
	switch {
	case n < 10:
		text = strconv.FormatFloat(n, 'f', 2, 64)
	case n < 100:
		text = strconv.FormatFloat(n, 'f', 1, 64)
	case n >= 10_000:
		text = text[:len(text)-3] + "," + text[len(text)-3:]
	}
	if strings.HasPrefix(unit, "/") {
		return text + unit
	}
	return text + " " + unit
}

// cells are what a line of the table shows.
func (f figure) cells() []string {
	return []string{f.What, amount(f.Ours, f.Unit), f.Peer, amount(f.Theirs, f.Unit), fmt.Sprintf("%.2f", f.Ratio), f.limit(), f.verdict()}
}

var heads = []string{"what", "ours", "beside", "theirs", "ratio", "asked", ""}

// asText is the table for a terminal.
func asText(all []figure) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(heads, "\t"))
	for _, f := range all {
		fmt.Fprintln(w, strings.Join(f.cells(), "\t"))
	}
	if err := w.Flush(); err != nil {
		panic(err) // a Builder takes everything
	}
	return out.String()
}

// asTSV is the table as it is recorded, behind a line that says when and where,
// and how busy the machine was with other things before.
func asTSV(all []figure, now time.Time, busy string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s, %d cores, %s, %s, load average %s\n",
		now.UTC().Format(time.DateOnly), runtime.NumCPU(), field("/proc/cpuinfo", "model name\t: "), runtime.Version(), busy)
	for _, f := range all {
		number := func(n float64) string { return strconv.FormatFloat(n, 'g', 6, 64) }
		fmt.Fprintln(&out, strings.Join([]string{f.Part, f.What, f.Unit, number(f.Ours), f.Peer, number(f.Theirs), number(f.Ratio), number(f.Least), number(f.Most)}, "\t"))
	}
	return out.Bytes()
}

// field is the rest of the line behind a mark in a file of the kernel.
func field(path, mark string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	_, rest, _ := strings.Cut(string(text), mark)
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

// recorded is what asTSV has written.
func recorded(t *testing.T) (where string, all []figure) {
	t.Helper()
	file, err := os.Open(tableFile)
	if err != nil {
		t.Fatalf("%v: make bench writes it", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Scan()
	where = lines.Text()
	for lines.Scan() {
		c := strings.Split(lines.Text(), "\t")
		if len(c) != 9 {
			t.Fatalf("%s: %q has %d columns", tableFile, lines.Text(), len(c))
		}
		f := figure{Part: c[0], What: c[1], Unit: c[2], Peer: c[4]}
		for i, n := range map[int]*float64{3: &f.Ours, 5: &f.Theirs, 6: &f.Ratio, 7: &f.Least, 8: &f.Most} {
			if *n, err = strconv.ParseFloat(c[i], 64); err != nil {
				t.Fatalf("%s: %v", tableFile, err)
			}
		}
		all = append(all, f)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return where, all
}
