package operate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/seal/kms"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/dynamo"
	"rightsdesk/shared/table/tabletest"
)

// kept is an installation in an account whose tables are real ones of an emulator.
type kept struct {
	*Account
	stack *Stack
	table table.Table
	ring  *seal.Ring
}

// keep opens an account with a ring and a request in it.
func keep(t *testing.T) kept {
	t.Helper()
	endpoint := tabletest.Emulator(t)
	cfg := aws.Config{Region: region, BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	names := tabletest.Tables(t, cfg)
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("X-Amz-Target"), "TrentService.") {
			proxy.ServeHTTP(w, r)
			return
		}
		var in struct{ Plaintext, CiphertextBlob []byte }
		b, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(b, &in); err != nil {
			t.Error(err)
		}
		slices.Reverse(in.Plaintext) // no cipher, but shows what becomes of what
		slices.Reverse(in.CiphertextBlob)
		say(w, map[string][]byte{"CiphertextBlob": in.Plaintext, "Plaintext": in.CiphertextBlob})
	}))
	t.Cleanup(server.Close)
	k := kept{
		Account: &Account{
			AWS: aws.Config{Region: region, BaseEndpoint: &server.URL, Credentials: cfg.Credentials}, Now: func() time.Time { return today },
		},
		stack: &Stack{Name: stackName, Outputs: map[string]string{
			"StateTableName": names.State, "AuditTableName": names.Audit, "KeysTableName": names.Keys, "MasterKeyArn": masterKey, "Address": "https://privacy.example.org/",
		}},
	}
	k.table = dynamo.New(k.AWS, names, k.Now)
	if k.ring, err = kms.New(k.AWS, masterKey, k.table).OpenOrMake(t.Context()); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k kept) submit(t *testing.T, email string) request.ID {
	t.Helper()
	file, err := os.ReadFile("../../shared/request/testdata/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pol, err := policy.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	who, _ := personal.ParseEmail(email)
	s := &request.Service{Table: k.table, Keys: seal.Keys{Ring: k.ring, Table: k.table}, Policy: pol, Now: k.Now}
	got, err := s.Submit(t.Context(), request.Submission{Right: policy.Access, Residence: "FR", Person: request.Person{Email: who, Name: personal.MakeText("Ada Example")}})
	if err != nil {
		t.Fatal(err)
	}
	return got.ID
}

func (k kept) put(t *testing.T, name table.Name, it table.Item) {
	t.Helper()
	if err := k.table.Commit(t.Context(), table.NewID(), table.Put(name, it, table.New)); err != nil {
		t.Fatal(err)
	}
}

// leave exports everything and returns the requests in it.
func (k kept) leave(t *testing.T) (*Left, []map[string]any, string) {
	t.Helper()
	books, err := k.Books(t.Context(), k.stack)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	left, err := books.Leave(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "state", "requests.ndjson"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var all []map[string]any
	for l := range bytes.Lines(b) {
		var v map[string]any
		if err := json.Unmarshal(l, &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return left, all, dir
}

func TestLeavingAnAccountOpensWhatIsSealed(t *testing.T) {
	t.Parallel()
	k := keep(t)
	for n := range 30 { // more than a page of the service's
		k.submit(t, fmt.Sprintf("ada%d@example.org", n))
	}
	left, all, _ := k.leave(t)
	if !left.Whole() || len(all) != 30 || left.Chains.Chains != 30 || left.Erased != 0 {
		t.Errorf("%+v, %d requests", left, len(all))
	}
	seen := map[string]bool{}
	for _, r := range all {
		person, _ := r["personal"].(map[string]any)["person"].(map[string]any)
		seen[fmt.Sprint(person["email"])] = true
		if person["name"] != "Ada Example" {
			t.Errorf("a person is exported as %v", person)
		}
	}
	if len(seen) != 30 || !seen["ada17@example.org"] {
		t.Errorf("%d people are in clear", len(seen))
	}
}

// Whoever was erased stays erased: the export says that something was, and no more.
func TestWhoWasErasedIsNotInTheExport(t *testing.T) {
	t.Parallel()
	k := keep(t)
	k.submit(t, "ada@example.org")
	id := k.ring.Identifier(personal.MakeIdentity(personal.KindEmail, "ada@example.org"))
	writes, err := seal.Keys{Ring: k.ring, Table: k.table}.Destroy(t.Context(), id, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.table.Commit(t.Context(), table.NewID(), writes...); err != nil {
		t.Fatal(err)
	}
	left, all, _ := k.leave(t)
	if left.Erased != 1 || len(all) != 1 || all[0]["personal"] != nil || fmt.Sprint(all[0]["erased"]) != "[person]" {
		t.Errorf("%+v, %v", left, all)
	}
}

func TestWhatNobodyKnowsIsExportedAndTold(t *testing.T) {
	t.Parallel()
	k := keep(t)
	k.put(t, table.State, table.Item{Key: table.Key{Partition: "later#1", Sort: "-"}, Schema: 1, Body: []byte(`{"a":1}`)})
	k.put(t, table.Keys, table.Item{Key: table.Key{Partition: "later#2", Sort: "-"}, Schema: 1, Body: []byte(`{"secret":1}`)})
	left, _, dir := k.leave(t)
	if left.Whole() || len(left.Unknown) != 2 {
		t.Errorf("%+v", left)
	}
	b, err := os.ReadFile(filepath.Join(dir, "state", "unknown.ndjson"))
	if err != nil || !bytes.Contains(b, []byte(`"later#1"`)) || bytes.Contains(b, []byte("secret")) {
		t.Errorf("%s, %v", b, err)
	}
	var said strings.Builder
	if err := left.Print(&said, dir); err != nil || !strings.Contains(said.String(), "✗ of a kind that this version does not know: state later#1") {
		t.Errorf("%s, %v", said.String(), err)
	}
}

// A chain that was tampered with is exported as it is, and named.
func TestABrokenChainIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		breaks func(*testing.T, kept, request.ID)
		says   string
	}{
		"an entry that follows from nothing": {func(t *testing.T, k kept, id request.ID) {
			t.Helper()
			e := audit.Entry{Chain: id.Chain(), Seq: 2, At: today, Actor: "person", Action: "verified", Commit: "c"}
			k.put(t, table.Audit, table.Item{Key: table.Key{Partition: e.Chain, Sort: "000000000002"}, Schema: 1, Body: e.Encode()})
		}, "entry 2 does not follow from the one before"},
		"an entry after one that is missing": {func(t *testing.T, k kept, id request.ID) {
			t.Helper()
			e := audit.Entry{Chain: id.Chain(), Seq: 5, At: today, Actor: "person", Action: "verified", Commit: "c"}
			k.put(t, table.Audit, table.Item{Key: table.Key{Partition: e.Chain, Sort: "000000000005"}, Schema: 1, Body: e.Encode()})
		}, "entry 2 is missing"},
		"an entry in another's place": {func(t *testing.T, k kept, id request.ID) {
			t.Helper()
			e := audit.Entry{Chain: id.Chain(), Seq: 3, At: today, Actor: "person", Action: "verified", Commit: "c"}
			k.put(t, table.Audit, table.Item{Key: table.Key{Partition: e.Chain, Sort: "000000000002"}, Schema: 1, Body: e.Encode()})
		}, "no entry of this place can be read there"},
		"an aggregate that remembers more": {func(t *testing.T, k kept, id request.ID) {
			t.Helper()
			it, err := k.table.Get(t.Context(), id.Ref())
			if err != nil {
				t.Fatal(err)
			}
			it.Body = bytes.Replace(it.Body, []byte(`"Seq":1`), []byte(`"Seq":9`), 1)
			if err := k.table.Commit(t.Context(), table.NewID(), table.Put(table.State, it, table.Version(it.Version))); err != nil {
				t.Fatal(err)
			}
		}, "the aggregate remembers entry 9, which is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := keep(t)
			id := k.submit(t, "ada@example.org")
			c.breaks(t, k, id)
			left, _, _ := k.leave(t)
			if left.Whole() || len(left.Chains.Broken) == 0 || !strings.Contains(strings.Join(left.Chains.Broken, "\n"), c.says) {
				t.Errorf("%+v", left.Chains)
			}
			r := &Report{}
			books, err := k.Books(t.Context(), k.stack)
			if err != nil {
				t.Fatal(err)
			}
			r.Chains(books.Verify(t.Context()))
			if r.Trouble() == 0 {
				t.Error("doctor -chains finds nothing")
			}
		})
	}
}

func TestAnAccountWithoutARingHasNothingToOpen(t *testing.T) {
	t.Parallel()
	k := keep(t)
	if err := k.table.Commit(t.Context(), table.NewID(), table.Delete(table.Ref{Table: table.Keys, Key: table.Key{Partition: "ring", Sort: "-"}}, table.Exists)); err != nil {
		t.Fatal(err)
	}
	left, all, _ := k.leave(t)
	if !left.Whole() || len(all) != 0 || left.Items != 0 {
		t.Errorf("%+v", left)
	}
}

// Whoever could write to the tables cannot have a file written elsewhere on the machine of
// who leaves.
func TestNothingIsWrittenOutOfTheFolder(t *testing.T) {
	t.Parallel()
	around := t.TempDir()
	dir := filepath.Join(around, "a", "b")
	if err := newFolder(dir); err != nil {
		t.Fatal(err)
	}
	l := &leaver{dir: dir, left: &Left{}, files: map[string]*output{}}
	names := []string{"certificates/../../x.jws", "certificates//etc/x.jws", "files/../../../x/message-1-file-1", "files/.ssh/message-1-file-1", `files/..\x/message-1-file-1`}
	for _, name := range names {
		if err := l.whole(name, []byte("x")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := l.whole("certificates/k3j9x2qw7lp1.jws", []byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "certificates", "k3j9x2qw7lp1.jws")); err != nil {
		t.Error(err)
	}
	for _, up := range []string{around, filepath.Join(around, "a")} {
		if found, err := os.ReadDir(up); err != nil || len(found) != 1 {
			t.Errorf("%s holds %v, %v", up, found, err)
		}
	}
	if len(l.files) != len(names)+1 {
		t.Errorf("%d files were written of %d", len(l.files), len(names)+1)
	}
}

// Names of chains come from the tables, and go to a terminal.
func TestWhatIsToldPlaysNoTricksOnATerminal(t *testing.T) {
	t.Parallel()
	const trick = "request#\x1b[2Jx"
	found := LeftChains{Broken: []string{trick}}
	var said bytes.Buffer
	if err := (&Left{Chains: found, Unknown: []string{trick}, Missing: []string{trick}}).Print(&said, "left"); err != nil {
		t.Fatal(err)
	}
	r := &Report{}
	r.Chains(found, nil)
	if err := r.Print(&said); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(said.String(), "request#[2Jx"); n != 4 || strings.Contains(said.String(), "\x1b") {
		t.Errorf("%q", said.String())
	}
}
