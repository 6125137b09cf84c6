package tabletest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// emulatorPatience is how long the emulator may take to answer for the first
// time. It takes milliseconds, but on a busy machine it has to wait its turn.
const emulatorPatience = 20 * time.Second

// untilStdinCloses runs a command until nobody holds the other end of our pipe
// any more: also when the test is killed, and no cleanup of its own runs.
const untilStdinCloses = `"$0" "$@" </dev/null & read -r _; kill $!; wait $!`

// Emulator returns the endpoint of a DynamoDB: the one that DYNAMODB_ENDPOINT
// names, the real service included, or else a Dynoxide of the test's own, in
// memory, on the loopback interface, that ends with the test. Where there is
// neither, the test is skipped, but fails if CI=true.
func Emulator(tb testing.TB) (endpoint string) {
	tb.Helper()
	if endpoint = os.Getenv("DYNAMODB_ENDPOINT"); endpoint != "" { //nolint:forbidigo // a tool of tests, which nothing else can tell
		return endpoint
	}
	binary, err := findEmulator()
	if err != nil {
		const how = "no DynamoDB to test against: run `make tools`, which builds Dynoxide into .bin/, or set DYNAMODB_ENDPOINT"
		if os.Getenv("CI") == "true" { //nolint:forbidigo // the same
			tb.Fatal(how)
		}
		tb.Skip(how)
	}
	for range 3 { // the port was free when we looked; somebody else may have been faster
		if endpoint, err = startEmulator(tb, binary); err == nil {
			return endpoint
		}
	}
	tb.Fatal(err)
	return ""
}

// findEmulator looks into .bin of the module, then into the path.
func findEmulator() (string, error) {
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			if binary, err := exec.LookPath(filepath.Join(dir, ".bin", "dynoxide")); err == nil {
				return binary, nil
			}
			break
		}
		dir = filepath.Dir(dir)
	}
	return exec.LookPath("dynoxide")
}

func startEmulator(tb testing.TB, binary string) (endpoint string, err error) {
	tb.Helper()
	address, err := freeAddress(tb.Context())
	if err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	// The context of the test ends before its cleanups do, and those may still
	// want to talk to the emulator.
	ctx := context.WithoutCancel(tb.Context())
	cmd := exec.CommandContext(ctx, "sh", "-c", untilStdinCloses, binary, "--host", host, "--port", port, "--log", "quiet") //nolint:gosec // our own tool
	cmd.Stderr = os.Stderr
	leash, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start the emulator: %w", err)
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed, and says so
		close(gone)
	}()
	end := func() {
		_ = leash.Close() // it may be gone already
		<-gone
	}
	endpoint = "http://" + address
	for deadline := time.After(emulatorPatience); ; {
		if answers(tb.Context(), endpoint) {
			tb.Cleanup(end)
			return endpoint, nil
		}
		select {
		case <-gone:
			return "", fmt.Errorf("the emulator on %s ended by itself: %s", address, cmd.ProcessState)
		case <-deadline:
			end()
			return "", fmt.Errorf("the emulator on %s did not answer within %s", address, emulatorPatience)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("look for a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// answers reports whether anything speaks HTTP there; what it says is no matter.
func answers(ctx context.Context, endpoint string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, http.NoBody)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return res.Body.Close() == nil
}
