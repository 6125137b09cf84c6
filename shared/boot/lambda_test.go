package boot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/topology"
)

// build compiles every function as infra/stack does, but for this machine, and
// returns the folder of the programs.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid=", "-o", dir+"/", "./functions/...")
	cmd.Dir = "../.."
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the functions: %v\n%s", err, out)
	}
	return dir
}

// patience is how long a program may take for anything. It takes milliseconds,
// but on a busy machine it has to wait its turn.
const patience = 30 * time.Second

// lambda is one sandbox: a program, and the Runtime API that it talks to
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
type lambda struct {
	topology.Function
	t       *testing.T
	process *os.Process
	log     *buffer
	init    time.Duration // from its start until it asked for an event

	events  chan event    // to hand out
	ends    chan ending   // what became of them
	ready   chan struct{} // closed when it asks for its first event
	refused chan string   // what it said to init/error
	gone    chan struct{} // closed when the program ends
	once    sync.Once
}

type event struct {
	id       string
	payload  []byte
	deadline time.Time
}

// ending is the answer to an event, or the error instead.
type ending struct {
	id     string
	failed bool
	body   []byte
}

// launch starts a program and does not wait for it.
func launch(t *testing.T, program string, f topology.Function, env map[string]string) *lambda {
	t.Helper()
	l := &lambda{
		Function: f, t: t, log: &buffer{}, events: make(chan event), ends: make(chan ending, 1),
		ready: make(chan struct{}), refused: make(chan string, 1), gone: make(chan struct{}),
	}
	mux, began := http.NewServeMux(), time.Now()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		l.once.Do(func() { l.init = time.Since(began); close(l.ready) })
		select {
		case e := <-l.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", e.id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(e.deadline.UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:"+region+":111122223333:function:"+f.Name)
			w.Header().Set("Lambda-Runtime-Trace-Id", "Root=1-69a93f10-3b1e5f0a7c2d4e6f8a9b0c1d")
			_, _ = w.Write(e.payload)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{how}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		l.ends <- ending{r.PathValue("id"), r.PathValue("how") == "error", body}
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		l.refused <- string(body)
		w.WriteHeader(http.StatusAccepted)
	})
	api := httptest.NewServer(mux)
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://")}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Stdout, cmd.Stderr = l.log, l.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l.process = cmd.Process
	go func() {
		_ = cmd.Wait() // it is killed, and says so
		close(l.gone)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		<-l.gone
		api.Close()
	})
	return l
}

// start starts a program and waits until it takes events.
func start(t *testing.T, program string, f topology.Function, env map[string]string) *lambda {
	t.Helper()
	l := launch(t, program, f, env)
	select {
	case <-l.ready:
	case <-l.gone:
		t.Fatalf("%s does not start: %s", f.Name, l.log)
	case <-time.After(patience):
		t.Fatalf("%s takes no event: %s", f.Name, l.log)
	}
	return l
}

// invoke hands an event to the program and returns what it makes of it.
func (l *lambda) invoke(payload []byte) ending {
	l.t.Helper()
	return l.invokeFor(payload, l.Timeout)
}

func (l *lambda) invokeFor(payload []byte, life time.Duration) ending {
	l.t.Helper()
	e := event{fmt.Sprintf("8476a536-e9f4-11e8-9739-%012x", time.Now().UnixMicro()), payload, time.Now().Add(life)}
	late := time.After(patience)
	select {
	case l.events <- e:
	case <-l.gone:
		l.t.Fatalf("%s ended before: %s", l.Name, l.log)
	case <-late:
		l.t.Fatalf("%s takes no event", l.Name)
	}
	select {
	case end := <-l.ends:
		if end.id != e.id {
			l.t.Errorf("%s answers %s instead of %s", l.Name, end.id, e.id)
		}
		return end
	case <-l.gone:
		l.t.Fatalf("%s crashed on %.200s: %s", l.Name, payload, l.log)
	case <-late:
		l.t.Fatalf("%s does not answer %.200s: %s", l.Name, payload, l.log)
	}
	return ending{}
}

// must hands over an event that has to succeed, and decodes the answer.
func (l *lambda) must(payload []byte, into any) {
	l.t.Helper()
	end := l.invoke(payload)
	if end.failed {
		l.t.Fatalf("%s fails: %s\n%s", l.Name, end.body, l.log)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(end.body, into); err != nil {
		l.t.Fatalf("%s answers %s: %v", l.Name, end.body, err)
	}
}

// logs waits for a line after the first bytes of the log. What a program wrote may
// arrive after its answer.
func (l *lambda) logs(after int, like func(map[string]any) bool) bool {
	for began := time.Now(); time.Since(began) < patience/6; time.Sleep(2 * time.Millisecond) {
		for line := range strings.Lines(l.log.String()[after:]) {
			var v map[string]any
			if json.Unmarshal([]byte(line), &v) == nil && like(v) {
				return true
			}
		}
	}
	return false
}

// peak is the most memory that the program had in use, in MB.
func (l *lambda) peak() float64 {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(l.process.Pid), "status"))
	if err != nil {
		return 0 // no Linux
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kb float64
	_, _ = fmt.Sscan(rest, &kb)
	return kb / 1024
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
