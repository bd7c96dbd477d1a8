package bench_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"ocspcgi/lib/servertest"
)

// measureFirst starts servers, and looks at them when they have given one answer.
func measureFirst(b *testing.B) (figures []figure) {
	dir := b.TempDir()
	ours, empty := shipped(b, dir, "ocspcgi"), emptyGo(b, dir)
	var memory [2][]float64
	for i, rows := range []int{small, large} {
		s := newStart(b, "p256", rows)
		r := servertest.Around(b, ours, s.company)
		der := []byte(servertest.ReadFile(b, s.request))
		reached := compete(
			contender{"ocspcgi", func(time.Duration) float64 { return firstFastCGI(b, r, der, &memory[i]) }},
			s.takes(b, empty))
		figures = append(figures,
			within("FastCGI from start to first answer, "+count(rows)+" rows", "ms", reached[0], "an empty Go program", reached[1], 0))
	}
	figures = append(figures, within("FastCGI, resident memory, "+count(large)+" rows", "MiB", memory[1], count(small)+" rows", memory[0], 0))
	for _, program := range []string{ours, shipped(b, dir, "ocspcgi/cgi/cgibin")} {
		name := map[bool]string{true: "ocspcgi", false: "ocsp.cgi"}[program == ours]
		figures = append(figures, within("size of "+name, "MiB", []float64{size(b, program)}, "an empty Go program", []float64{size(b, empty)}, 0))
	}
	return figures
}

// firstFastCGI is the time in ms until a program that is started with a listening
// socket, as web servers do, has answered. It adds the memory that it has then.
func firstFastCGI(b *testing.B, r *servertest.Responder, der []byte, memory *[]float64) float64 {
	b.Helper()
	path := filepath.Join(servertest.Room(b), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	socket, err := l.File()
	if err != nil {
		b.Fatal(err)
	}
	defer socket.Close()
	cmd := exec.Command(r.Program, "-config", r.Config, "-log_level", "warn")
	cmd.Stdin = socket
	return first(b, cmd, memory, func() { answered(b, path, posted(der)) })
}

// first starts a server, asks it, and ends it.
func first(b *testing.B, cmd *exec.Cmd, memory *[]float64, ask func()) float64 {
	b.Helper()
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := cmd.Process.Kill(); err != nil {
			b.Error(err)
		}
		cmd.Wait() // killed
	}()
	ask()
	took := time.Since(began)
	var kib float64
	if _, err := fmt.Sscan(field(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid), "VmRSS:"), &kib); err != nil {
		b.Fatal(err)
	}
	*memory = append(*memory, kib/1024)
	return took.Seconds() * 1000
}

// size is that of a file in MiB.
func size(b *testing.B, path string) float64 {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size()) / (1 << 20)
}
