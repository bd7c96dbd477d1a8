// Package bench measures the program beside its peers and the limit, in tests
// only.
//
// `make bench` runs BenchmarkTable, which writes testdata/table.tsv; `make
// bench-chart` makes table.md and chart.svg of that.
package bench
