package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// demo is one run of the demonstration.
type demo struct {
	ctx     context.Context
	dir     string
	out     io.Writer
	url     string // of the responder over HTTP
	socket  string // of the responder over FastCGI
	command []string
}

// Demo makes a CA with two certificates in a folder, serves it, asks for them
// with openssl, and stays until it is told to end. With -once it ends by
// itself. The exit code is 0 only if every answer was right.
func Demo(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	once := flags.Bool("once", false, "end after the three questions")
	if err := flags.Parse(args); err != nil {
		return 64
	}
	dir := "demo"
	if flags.NArg() > 0 {
		dir = flags.Arg(0)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := runDemo(ctx, dir, *once, stdout); err != nil {
		fmt.Fprintln(stderr, "ocspcgi: demo:", err)
		return 1
	}
	return 0
}

func runDemo(ctx context.Context, dir string, once bool, out io.Writer) (err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	d := &demo{ctx: ctx, dir: dir, out: out, socket: filepath.Join(dir, "ocsp.sock")}
	if err := d.makeCA(); err != nil {
		return err
	}
	ended, err := d.serve()
	if err != nil {
		return err
	}
	err = d.ask()
	if err == nil && !once {
		d.tellMore()
		select {
		case <-ctx.Done():
			fmt.Fprintln(out)
		case err = <-ended:
			return fmt.Errorf("the responder ended by itself: %w", err)
		}
	}
	return err
}

// serve starts the responder as its own process, the way a person would, and
// waits until it answers. It ends with d.ctx, or, where the system knows of that,
// with this process.
func (d *demo) serve() (ended chan error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	d.url = "http://" + port
	d.command = []string{self, "-index", d.path("index.txt"), "-CA", d.path("ca.pem"),
		"-rsigner", d.path("ocsp.pem"), "-rkey", d.path("ocsp.key"),
		"-port", port, "-listen", "unix:" + d.socket, "-log", d.path("ocspcgi.log")}
	cmd := exec.CommandContext(d.ctx, d.command[0], d.command[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.SysProcAttr = endTogether()
	cmd.Stderr = d.out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended = make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		if conn, err := net.DialTimeout("tcp", port, time.Second); err == nil {
			return ended, conn.Close()
		}
		select {
		case err := <-ended:
			return nil, fmt.Errorf("the responder did not start: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// freePort returns an address on loopback that nobody listens on.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// ask puts the three questions with openssl, and checks the answers.
func (d *demo) ask() error {
	fmt.Fprintf(d.out, "It answers at %s and, over FastCGI, on %s\n\n", d.url, d.socket)
	var faults []error
	for _, question := range []struct{ about, flag, value, want string }{
		{"a certificate", "-cert", d.path("good.pem"), "good"},
		{"one that was revoked", "-cert", d.path("revoked.pem"), "revoked"},
		{"a number never given out", "-serial", "0x4711", "unknown"},
	} {
		answer, err := d.openssl("ocsp", "-issuer", d.path("ca.pem"), "-CAfile", d.path("ca.pem"),
			"-url", d.url, question.flag, question.value)
		got := "no answer"
		if err == nil {
			got = status(answer, question.value)
		}
		fmt.Fprintf(d.out, "  %-26s %s\n", question.about, got)
		switch {
		case err != nil:
			faults = append(faults, err)
		case got != question.want || !strings.Contains(answer, "Response verify OK"):
			faults = append(faults, fmt.Errorf("%s: want %s, verified; openssl says:\n%s", question.about, question.want, answer))
		}
	}
	fmt.Fprintln(d.out)
	return errors.Join(faults...)
}

// status is what openssl says of the certificate or serial that it was asked
// about.
func status(answer, about string) string {
	for line := range strings.Lines(answer) {
		if rest, ok := strings.CutPrefix(line, about+": "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "nothing"
}

func (d *demo) tellMore() {
	fmt.Fprintf(d.out, `Try it:
  openssl ocsp -issuer %[1]s -CAfile %[1]s -cert %[2]s -url %[3]s
  openssl ca -config %[4]s -revoke %[2]s     and ask again
  %[3]s/     is a page for people

This is what runs:
  %[5]s

Behind Apache or nginx: apache/ and nginx/ have the configurations. Ctrl-C ends it.
`, d.path("ca.pem"), d.path("good.pem"), d.url, d.path("openssl.cnf"), strings.Join(d.command, " "))
}

func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }

func (d *demo) openssl(args ...string) (string, error) {
	cmd := exec.CommandContext(d.ctx, "openssl", args...)
	cmd.Dir = d.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("openssl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
