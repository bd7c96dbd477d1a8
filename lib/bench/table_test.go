package bench_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/servertest"
)

var (
	rounds = flag.Int("rounds", 7, "how often each is measured beside the others")
	slice  = flag.Duration("slice", 500*time.Millisecond, "how long each time")
	most   = flag.Int("rows", 10_000_000, "of the largest index")
	record = flag.Bool("record", false, "write what is measured to testdata/table.tsv")
)

// program is the path of ours, as it is shipped.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() == "" {
		os.Exit(m.Run())
	}
	os.Exit(servertest.Main(m, &program))
}

// BenchmarkTable measures everything beside its peers and the limit, and prints
// it as one table.
func BenchmarkTable(b *testing.B) {
	busy, _, _ := strings.Cut(field("/proc/loadavg", ""), " ")
	var all []figure
	for _, group := range []struct {
		name    string
		measure func(b *testing.B) []figure
	}{
		{"fastcgi", measureKept}, {"nginx", measureNginx}, {"apache", measureApache},
		{"sign", measureSign}, {"index", measureIndex}, {"flat", measureFlat}, {"reload", measureReload},
		{"cgi", measureCGI}, {"first", measureFirst},
	} {
		b.Run(group.name, func(b *testing.B) {
			for _, f := range group.measure(b) {
				f.Part = group.name
				all = append(all, f)
			}
		})
	}
	fmt.Print(asText(all))
	if *record {
		if err := os.WriteFile(tableFile, asTSV(all, time.Now(), busy), 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

// contender is one of those that are measured beside each other. It returns
// how many a second it does, or how much one takes.
type contender struct {
	name string
	run  func(d time.Duration) float64
}

// compete measures all of them in turn, in the other order each second round,
// and returns what each has reached in each round.
func compete(all ...contender) [][]float64 {
	reached := make([][]float64, len(all))
	for round := range *rounds {
		for i := range all {
			if round%2 == 1 {
				i = len(all) - 1 - i
			}
			reached[i] = append(reached[i], all[i].run(*slice))
		}
	}
	return reached
}

// against has the first compete with the others, and returns a figure for each
// of these, whose least is asked where it is not 0.
func against(what string, ours contender, others []contender, least ...float64) []figure {
	reached := compete(append([]contender{ours}, others...)...)
	figures := make([]figure, len(others))
	for i, other := range others {
		figures[i] = figure{
			What: what, Unit: "/s", Ours: median(reached[0]),
			Peer: other.name, Theirs: median(reached[i+1]), Ratio: ratio(reached[0], reached[i+1]), Least: least[i],
		}
	}
	return figures
}

// ratio is the median of the ratios of each round: load of the machine that
// comes and goes meets both.
func ratio(ours, theirs []float64) float64 {
	each := make([]float64, len(ours))
	for i := range each {
		each[i] = ours[i] / theirs[i]
	}
	return median(each)
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
