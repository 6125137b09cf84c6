package dynamodbsource_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
	dynamodbsource "rightsdesk/shared/source/dynamodb"
	"rightsdesk/shared/source/sourcetest"
	"rightsdesk/shared/table/tabletest"
)

var now = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

func clock() time.Time { return now }

// Two ways in which companies lay out a table. In the first, items are found by
// an index; in the second, the person is the table's own key.
var (
	indexed = dynamodbsource.Mapping{
		Key:         dynamodbsource.Key{Partition: "id"},
		FindBy:      []dynamodbsource.Lookup{{Identity: personal.KindAccount, Attribute: "account", Index: "by_account"}, {Identity: personal.KindEmail, Attribute: "email", Index: "by_email"}},
		Items:       []dynamodbsource.Rule{{Category: "visits", Attribute: "kind", Equals: "visit"}, {Category: "letters", Attribute: "kind", Prefix: "let"}},
		RecordID:    "id",
		CollectedAt: dynamodbsource.Instant{Attribute: "at", Format: dynamodbsource.RFC3339},
		Ties:        []dynamodbsource.Tie{{Identity: personal.KindAccount, Attribute: "account", FoundBy: personal.KindEmail}},
	}
	ownKey = dynamodbsource.Mapping{
		Key:         dynamodbsource.Key{Partition: "pk", Sort: "sk"},
		FindBy:      []dynamodbsource.Lookup{{Identity: personal.KindAccount, Attribute: "pk", Prefix: "USER#"}},
		Items:       []dynamodbsource.Rule{{Category: "visits", Attribute: "sk", Prefix: "VISIT#"}, {Category: "letters", Attribute: "sk", Prefix: "LETTER#"}},
		RecordID:    "no",
		CollectedAt: dynamodbsource.Instant{Attribute: "at", Format: dynamodbsource.UnixMillis},
	}
)

func account(n int) personal.Identity {
	return personal.MakeIdentity(personal.KindAccount, fmt.Sprintf("acc-%d", n))
}

// row returns the item of a record in either layout.
func row(m dynamodbsource.Mapping, n int, category, id string, at time.Time, fields json.RawMessage) map[string]types.AttributeValue {
	var values map[string]string
	if err := json.Unmarshal(fields, &values); err != nil {
		panic(err)
	}
	it := map[string]types.AttributeValue{}
	for name, v := range values {
		it[name] = str(v)
	}
	kind := strings.TrimSuffix(category, "s")
	if m.Key.Partition == "id" {
		it["id"], it["account"], it["kind"], it["at"] = str(id), str(account(n).Reveal()), str(kind), str(at.Format(time.RFC3339Nano))
	} else {
		it["pk"], it["sk"], it["no"] = str("USER#"+account(n).Reveal()), str(strings.ToUpper(kind)+"#"+id), str(id)
		it["at"], it["spread"] = &types.AttributeValueMemberN{Value: fmt.Sprint(at.UnixMilli())}, str(fmt.Sprintf("s%d", len(id)%2+n))
	}
	return it
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// memory is a Pages in memory.
type memory struct {
	mu    sync.Mutex
	pages map[string][]byte
}

func (m *memory) Remember(_ context.Context, key string, page []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pages == nil {
		m.pages = map[string][]byte{}
	}
	if _, known := m.pages[key]; !known {
		m.pages[key] = page
	}
	return m.pages[key], nil
}

// network is a way to the service that can be cut, and that can lose answers.
type network struct {
	cut, lose atomic.Bool
	client    *awshttp.BuildableClient
}

func (n *network) Do(r *http.Request) (*http.Response, error) {
	if n.cut.Load() {
		return nil, errors.New("the network is cut")
	}
	resp, err := n.client.Do(r)
	if err == nil && n.lose.Load() && strings.HasSuffix(r.Header.Get("X-Amz-Target"), "eItem") && r.Header.Get("Amz-Sdk-Request") == "attempt=1; max=3" {
		_, _ = io.Copy(io.Discard, resp.Body) // DeleteItem or UpdateItem was done, and nobody hears of it
		_ = resp.Body.Close()
		return nil, errors.New("the connection was lost")
	}
	return resp, err
}

func newClient(endpoint string, n *network) *dynamodb.Client {
	n.client = awshttp.NewBuildableClient()
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: &endpoint, Region: "eu-west-1", HTTPClient: n,
		Retryer:     retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = 10 * time.Millisecond }),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

var tables atomic.Int32

// create makes an empty table for a mapping and returns the mapping with its name.
func create(t *testing.T, c *dynamodb.Client, m dynamodbsource.Mapping) dynamodbsource.Mapping {
	t.Helper()
	m.Table = fmt.Sprintf("company-%d", tables.Add(1))
	key := []types.KeySchemaElement{{AttributeName: &m.Key.Partition, KeyType: types.KeyTypeHash}}
	attributes := []string{m.Key.Partition}
	if m.Key.Sort != "" {
		key = append(key, types.KeySchemaElement{AttributeName: &m.Key.Sort, KeyType: types.KeyTypeRange})
		attributes = append(attributes, m.Key.Sort)
	}
	in := &dynamodb.CreateTableInput{TableName: &m.Table, KeySchema: key, BillingMode: types.BillingModePayPerRequest}
	for _, l := range m.FindBy {
		if l.Index == "" {
			continue
		}
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(l.Index), Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String(l.Attribute), KeyType: types.KeyTypeHash}},
		})
		attributes = append(attributes, l.Attribute)
	}
	if w := m.Sweep; w.Index != "" {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: &w.Index, Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
			KeySchema: []types.KeySchemaElement{{AttributeName: &w.Attribute, KeyType: types.KeyTypeHash}, {AttributeName: &w.Time.Attribute, KeyType: types.KeyTypeRange}},
		})
		attributes = append(attributes, w.Attribute, w.Time.Attribute)
	}
	slices.Sort(attributes)
	for _, a := range slices.Compact(attributes) {
		kind := types.ScalarAttributeTypeS
		if a == m.Sweep.Time.Attribute && m.Sweep.Time.Format != dynamodbsource.RFC3339 {
			kind = types.ScalarAttributeTypeN
		}
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String(a), AttributeType: kind})
	}
	if _, err := c.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	return m
}

func put(t *testing.T, c *dynamodb.Client, table string, it map[string]types.AttributeValue) {
	t.Helper()
	if _, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it}); err != nil {
		t.Fatal(err)
	}
}

// dump returns the table by record id, each item as JSON.
func dump(t *testing.T, c *dynamodb.Client, m dynamodbsource.Mapping) map[string]string {
	t.Helper()
	all := map[string]string{}
	pages := dynamodb.NewScanPaginator(c, &dynamodb.ScanInput{TableName: &m.Table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range out.Items {
			raw, err := json.Marshal(it)
			if err != nil {
				t.Fatal(err)
			}
			all[it[m.RecordID].(*types.AttributeValueMemberS).Value] = string(raw)
		}
	}
	return all
}

func open(t *testing.T, m dynamodbsource.Mapping, c dynamodbsource.Client) *dynamodbsource.Source {
	t.Helper()
	s, err := dynamodbsource.New(dynamodbsource.Options{ID: "table", Mapping: m, Client: c, Pages: &memory{}, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// store makes the empty store of a layout, for the contract's tests.
func store(endpoint string, layout dynamodbsource.Mapping) func(*testing.T) sourcetest.Store {
	return func(t *testing.T) sourcetest.Store {
		t.Helper()
		n := &network{}
		c := newClient(endpoint, n)
		m := create(t, c, layout)
		return sourcetest.Store{
			Source: open(t, m, c), Now: clock, Category: "visits", Others: []string{"letters"},
			Who: account, Stranger: personal.MakeIdentity(personal.KindPhone, "+12025550100"),
			Add: func(t *testing.T, entries []sourcetest.Entry) {
				t.Helper()
				for batch := range slices.Chunk(entries, 25) {
					var writes []types.WriteRequest
					for _, e := range batch {
						writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: row(m, e.Person, e.Category, e.ID, e.At, e.Fields)}})
					}
					out, err := c.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{m.Table: writes}})
					if err != nil || len(out.UnprocessedItems) > 0 {
						t.Fatal("a batch was not written whole", err)
					}
				}
			},
			Dump: func(t *testing.T) map[string]string { t.Helper(); return dump(t, c, m) },
			Cut:  func() { n.cut.Store(true) }, OnlyDeletes: layout.Key.Partition == "pk",
		}
	}
}

func TestBothLayoutsKeepTheContract(t *testing.T) {
	t.Parallel()
	endpoint := tabletest.Emulator(t)
	for name, layout := range map[string]dynamodbsource.Mapping{"found by an index": indexed, "found by the table's own key": ownKey} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sourcetest.Run(t, store(endpoint, layout))
		})
	}
}

var (
	ada   = []personal.Identity{account(1)}
	call  = source.Call{Key: "k-1", Lease: now.Add(time.Minute)}
	masks = []source.Mask{{Field: "ip", How: source.Null}, {Field: "agent", How: source.Preserve}}
)

func order(verb source.Verb) source.Order {
	return source.Order{
		Verb: verb, Identities: ada, Category: "visits", Until: now, Call: call, Masks: masks,
		Corrections: []source.Correction{{Field: "agent", Value: personal.MakeText("Lynx")}},
	}
}

// stock makes an indexed table with n visits of account 1.
func stock(t *testing.T, n int) (*dynamodb.Client, *network, dynamodbsource.Mapping) {
	t.Helper()
	net := &network{}
	c := newClient(tabletest.Emulator(t), net)
	m := create(t, c, indexed)
	for i := range n {
		put(t, c, m.Table, row(m, 1, "visits", fmt.Sprintf("v-%d", i), now.Add(-time.Hour), json.RawMessage(`{"ip":"192.0.2.1","agent":"Firefox"}`)))
	}
	return c, net, m
}

// The SDK repeats a write whose answer was lost, and the repetition meets its own
// work. That must count as done, and once.
func TestALostAnswerIsOurOwnSuccess(t *testing.T) {
	t.Parallel()
	for _, verb := range []source.Verb{source.Delete, source.Anonymise, source.Correct} {
		t.Run(string(verb), func(t *testing.T) {
			t.Parallel()
			c, net, m := stock(t, 4)
			net.lose.Store(true)
			done, err := open(t, m, c).Execute(t.Context(), order(verb))
			if err != nil || done.Removed != 4 || done.Retained != 0 || !done.Done || done.Messages != nil {
				t.Errorf("%+v, %v; want 4 removed", done, err)
			}
		})
	}
}

// meddler does something to the table just before a write.
type meddler struct {
	dynamodbsource.Client
	before func(key map[string]types.AttributeValue)
}

func (m meddler) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, o ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	m.before(in.Key)
	return m.Client.DeleteItem(ctx, in, o...)
}

func (m meddler) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	m.before(in.Key)
	return m.Client.UpdateItem(ctx, in, o...)
}

func TestAnItemThatBecameSomebodyElsesIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, verb := range []source.Verb{source.Delete, source.Anonymise, source.Correct} {
		t.Run(string(verb), func(t *testing.T) {
			t.Parallel()
			c, _, m := stock(t, 3)
			theirs := row(m, 2, "visits", "v-1", now.Add(-time.Hour), json.RawMessage(`{"ip":"198.51.100.1","agent":"Opera"}`))
			s := open(t, m, meddler{c, func(key map[string]types.AttributeValue) {
				if key["id"].(*types.AttributeValueMemberS).Value == "v-1" {
					put(t, c, m.Table, theirs)
				}
			}})
			done, err := s.Execute(t.Context(), order(verb))
			if err != nil || done.Removed != 2 || done.Retained != 1 || !done.Done || len(done.Messages) != 1 {
				t.Errorf("%+v, %v; want 2 removed and 1 retained", done, err)
			}
			if want, _ := json.Marshal(theirs); dump(t, c, m)["v-1"] != string(want) {
				t.Errorf("the other person's item is %s", dump(t, c, m)["v-1"])
			}
		})
	}
}

func TestAnItemThatIsGoneAlreadyCountsAsRemoved(t *testing.T) {
	t.Parallel()
	c, _, m := stock(t, 2)
	s := open(t, m, meddler{c, func(key map[string]types.AttributeValue) {
		if _, err := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &m.Table, Key: key}); err != nil {
			t.Error(err)
		}
	}})
	done, err := s.Execute(t.Context(), order(source.Delete))
	if err != nil || done.Removed != 2 || !done.Done {
		t.Errorf("%+v, %v", done, err)
	}
}

// stale is an index that is behind: it proposes items that are gone or another's.
type stale struct {
	dynamodbsource.Client
	keys []string
}

func (s stale) Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	out := &dynamodb.QueryOutput{}
	for _, k := range s.keys {
		out.Items = append(out.Items, map[string]types.AttributeValue{"id": str(k)})
	}
	return out, nil
}

func TestAStaleIndexIsNotBelieved(t *testing.T) {
	t.Parallel()
	c, _, m := stock(t, 2)
	put(t, c, m.Table, row(m, 2, "visits", "theirs", now.Add(-time.Hour), json.RawMessage(`{"ip":"198.51.100.1"}`)))
	s := open(t, m, stale{c, []string{"v-1", "gone", "theirs", "v-0"}})
	page, err := s.Find(t.Context(), source.Ask{Identities: ada, Until: now, Call: call})
	if err != nil || len(page.Records) != 2 || page.Records[0].ID != "v-1" || page.Records[1].ID != "v-0" {
		t.Errorf("%+v, %v; want v-1 and v-0", page.Records, err)
	}
	if done, err := s.Execute(t.Context(), order(source.Delete)); err != nil || done.Removed != 2 {
		t.Errorf("%+v, %v; want 2 removed", done, err)
	}
	if left := dump(t, c, m); len(left) != 1 || left["theirs"] == "" {
		t.Errorf("left: %v", left)
	}
}

// lazy processes some of the keys of a batch only, as the service does when it is busy.
type lazy struct {
	dynamodbsource.Client
	takes int
}

func (l lazy) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	left := map[string]types.KeysAndAttributes{}
	for table, ask := range in.RequestItems {
		rest := ask
		rest.Keys = ask.Keys[min(l.takes, len(ask.Keys)):]
		ask.Keys = ask.Keys[:min(l.takes, len(ask.Keys))]
		if len(rest.Keys) > 0 {
			left[table] = rest
		}
		if in.RequestItems[table] = ask; l.takes == 0 {
			return &dynamodb.BatchGetItemOutput{UnprocessedKeys: left}, nil
		}
	}
	out, err := l.Client.BatchGetItem(ctx, in, o...)
	if err == nil && len(left) > 0 {
		out.UnprocessedKeys = left
	}
	return out, err
}

func TestUnprocessedKeysAreAskedForAgain(t *testing.T) {
	t.Parallel()
	c, _, m := stock(t, 7)
	ask := source.Ask{Identities: ada, Until: now, Call: call}
	if page, err := open(t, m, lazy{c, 2}).Find(t.Context(), ask); err != nil || len(page.Records) != 7 || !page.Done {
		t.Errorf("%d records, %v; want 7", len(page.Records), err)
	}
	if page, err := open(t, m, lazy{c, 0}).Find(t.Context(), ask); !errors.Is(err, source.ErrLater) || page.Done {
		t.Errorf("%+v, %v; want ErrLater from a service that processes nothing", page, err)
	}
}

func TestAPersonKnownTwiceIsFoundOnceAndTied(t *testing.T) {
	t.Parallel()
	c, _, m := stock(t, 3)
	both := row(m, 1, "letters", "l-1", now.Add(-time.Hour), json.RawMessage(`{"email":"ada@example.org"}`))
	put(t, c, m.Table, both)
	email := personal.MakeIdentity(personal.KindEmail, "ada@example.org")
	s := open(t, m, c)
	page, err := s.Find(t.Context(), source.Ask{Identities: []personal.Identity{account(1), email}, Until: now, Call: call})
	if err != nil || len(page.Records) != 4 || !page.Done {
		t.Errorf("%d records, %v; want 4, each once", len(page.Records), err)
	}
	page, err = s.Find(t.Context(), source.Ask{Identities: []personal.Identity{email}, Until: now, Call: call})
	if err != nil || len(page.Records) != 1 || !slices.Equal(page.Ties, ada) {
		t.Errorf("%+v, ties %v, %v; want one letter, tied to the account", page.Records, page.Ties, err)
	}
	if page, err = s.Find(t.Context(), source.Ask{Identities: ada, Until: now, Call: call}); err != nil || len(page.Ties) != 0 {
		t.Errorf("ties %v, %v; an account proves no account", page.Ties, err)
	}
}

func TestACursorDoesNotCarryTheIdentity(t *testing.T) {
	t.Parallel()
	for _, layout := range []dynamodbsource.Mapping{indexed, ownKey} {
		c := newClient(tabletest.Emulator(t), &network{})
		m := create(t, c, layout)
		for i := range 5 {
			put(t, c, m.Table, row(m, 1, "visits", fmt.Sprintf("v-%d", i), now, json.RawMessage(`{}`)))
		}
		page, err := open(t, m, c).Find(t.Context(), source.Ask{Identities: ada, Until: now, Limit: 2, Call: call})
		if err != nil || page.Cursor == "" {
			t.Fatal(page, err)
		}
		if plain := decode(t, page.Cursor); strings.Contains(plain, "acc-1") {
			t.Errorf("the cursor is %s", plain)
		}
	}
}

func TestAnItemThatTheMappingDoesNotUnderstandStopsEverything(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]types.AttributeValue){
		"fits no rule":                  func(it map[string]types.AttributeValue) { it["kind"] = str("surprise") },
		"has a time in other words":     func(it map[string]types.AttributeValue) { it["at"] = str("yesterday, said canary") },
		"has a time of another type":    func(it map[string]types.AttributeValue) { it["at"] = &types.AttributeValueMemberBOOL{} },
		"is numbered by a mail address": func(it map[string]types.AttributeValue) { it["id"] = str("canary@example.org") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _, m := stock(t, 2)
			odd := row(m, 1, "visits", "odd", now, json.RawMessage(`{"ip":"192.0.2.1","agent":"x"}`))
			change(odd)
			put(t, c, m.Table, odd)
			before := dump(t, c, m)
			s := open(t, m, c)
			_, err1 := s.Find(t.Context(), source.Ask{Identities: ada, Until: now, Call: call})
			_, err2 := s.Execute(t.Context(), order(source.Delete))
			if !errors.Is(err1, source.ErrRefused) || !errors.Is(err2, source.ErrRefused) || strings.Contains(err1.Error()+err2.Error(), "canary") {
				t.Errorf("%v, %v; want ErrRefused that names nobody", err1, err2)
			}
			if after := dump(t, c, m); len(after) != len(before) {
				t.Error("something was deleted")
			}
		})
	}
}

func TestAnAnonymisedItemIsFoundByNothing(t *testing.T) {
	t.Parallel()
	c, _, m := stock(t, 1)
	it := row(m, 1, "visits", "v-0", now, json.RawMessage(`{"ip":"192.0.2.1","agent":"Firefox","email":"ada@example.org"}`))
	it["seen"] = &types.AttributeValueMemberSS{Value: []string{"a"}}
	put(t, c, m.Table, it)
	o := order(source.Anonymise)
	o.Masks = append(slices.Clone(masks), source.Mask{Field: "seen", How: source.Preserve})
	if done, err := open(t, m, c).Execute(t.Context(), o); err != nil || done.Removed != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	want, _ := json.Marshal(map[string]types.AttributeValue{"id": it["id"], "kind": it["kind"], "at": it["at"], "agent": it["agent"], "seen": it["seen"]})
	if got := dump(t, c, m)["v-0"]; got != string(want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for name, bad := range map[string][]source.Mask{
		"preserves what people are found by": append(slices.Clone(masks), source.Mask{Field: "email", How: source.Preserve}),
		"masks what the mapping rests on":    append(slices.Clone(masks), source.Mask{Field: "kind", How: source.Null}),
	} {
		put(t, c, m.Table, row(m, 1, "visits", "v-0", now, json.RawMessage(`{"ip":"192.0.2.1"}`)))
		o.Masks, o.Call.Key = bad, name
		if done, err := open(t, m, c).Execute(t.Context(), o); !errors.Is(err, source.ErrRefused) {
			t.Errorf("an order that %s: %+v, %v; want ErrRefused", name, done, err)
		}
	}
}

func TestFieldsKeepEveryType(t *testing.T) {
	t.Parallel()
	c, _, m := stock(t, 0)
	it := row(m, 1, "visits", "v-0", now, json.RawMessage(`{}`))
	for name, v := range map[string]types.AttributeValue{
		"n": &types.AttributeValueMemberN{Value: "12345678901234567890.5"}, "t": &types.AttributeValueMemberBOOL{Value: true},
		"z": &types.AttributeValueMemberNULL{Value: true}, "b": &types.AttributeValueMemberB{Value: []byte("hi")},
		"ss": &types.AttributeValueMemberSS{Value: []string{"x"}}, "ns": &types.AttributeValueMemberNS{Value: []string{"7"}},
		"bs": &types.AttributeValueMemberBS{Value: [][]byte{[]byte("hi")}},
		"l":  &types.AttributeValueMemberL{Value: []types.AttributeValue{str("x"), &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"k": str("<v>")}}}},
	} {
		it[name] = v
	}
	put(t, c, m.Table, it)
	page, err := open(t, m, c).Find(t.Context(), source.Ask{Identities: ada, Until: now, Values: true, Call: call})
	if err != nil || len(page.Records) != 1 {
		t.Fatal(page, err)
	}
	var got, want bytes.Buffer
	_ = json.Compact(&got, page.Records[0].Fields)
	_ = json.Compact(&want, []byte(`{"account":"acc-1","at":"2026-03-02T09:30:00Z","b":"aGk=","bs":["aGk="],"id":"v-0","kind":"visit",
		"l":["x",{"k":"\u003cv\u003e"}],"n":12345678901234567890.5,"ns":[7],"ss":["x"],"t":true,"z":null}`))
	if got.String() != want.String() {
		t.Errorf("%s\nwant\n%s", &got, &want)
	}
}

func TestWhatTheServiceSaysIsSorted(t *testing.T) {
	t.Parallel()
	c, _, m := stock(t, 1)
	ask := source.Ask{Identities: []personal.Identity{personal.MakeIdentity(personal.KindAccount, "canary")}, Until: now, Call: call}
	for name, change := range map[string]func(*dynamodbsource.Mapping){
		"a table that is not there": func(m *dynamodbsource.Mapping) { m.Table = "nonsense" },
		"an index that is not there": func(m *dynamodbsource.Mapping) {
			m.FindBy = []dynamodbsource.Lookup{{Identity: personal.KindAccount, Attribute: "account", Index: "nonsense"}}
		},
		"an attribute that is not a key": func(m *dynamodbsource.Mapping) {
			m.FindBy = []dynamodbsource.Lookup{{Identity: personal.KindAccount, Attribute: "ip", Index: "by_account"}}
		},
	} {
		wrong := m
		change(&wrong)
		if page, err := open(t, wrong, c).Find(t.Context(), ask); !errors.Is(err, source.ErrRefused) || page.Done || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v; want ErrRefused", name, err)
		}
	}
	for code, want := range map[string]error{
		"ProvisionedThroughputExceededException": source.ErrLater, "InternalServerError": source.ErrLater, "ExpiredTokenException": source.ErrLater,
		"ThrottlingException": source.ErrLater, "AccessDeniedException": source.ErrRefused, "ValidationException": source.ErrRefused,
	} {
		failing, err := dynamodbsource.New(dynamodbsource.Options{ID: "table", Mapping: m, Client: says(code), Pages: &memory{}, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := failing.Find(t.Context(), ask); !errors.Is(err, want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v; want %v", code, err, want)
		}
	}
	s := open(t, m, newClient("http://127.0.0.1:1", &network{}))
	if _, err := s.Find(t.Context(), ask); !errors.Is(err, source.ErrLater) {
		t.Errorf("nobody listens: %v; want ErrLater", err)
	}
}

func TestNewRefusesAMappingThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	whole := indexed
	whole.Table = "t"
	if _, err := dynamodbsource.New(dynamodbsource.Options{ID: "table", Mapping: whole, Client: says(""), Now: clock}); !errors.Is(err, source.ErrRefused) {
		t.Errorf("no memory of pages: %v; want ErrRefused", err)
	}
	if _, err := dynamodbsource.New(dynamodbsource.Options{ID: "table", Mapping: whole, Client: says(""), Pages: &memory{}, Now: clock}); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*dynamodbsource.Mapping){
		"no table":    func(m *dynamodbsource.Mapping) { m.Table = "" },
		"no key":      func(m *dynamodbsource.Mapping) { m.Key.Partition = "" },
		"no lookup":   func(m *dynamodbsource.Mapping) { m.FindBy = nil },
		"no rule":     func(m *dynamodbsource.Mapping) { m.Items = nil },
		"no category": func(m *dynamodbsource.Mapping) { m.Items = []dynamodbsource.Rule{{Attribute: "kind"}} },
		"no attribute": func(m *dynamodbsource.Mapping) {
			m.Items = []dynamodbsource.Rule{{Category: "visits", Equals: "visit"}}
		},
		"no format": func(m *dynamodbsource.Mapping) { m.CollectedAt.Format = "" },
		"a lookup without an index, not by the table's key": func(m *dynamodbsource.Mapping) {
			m.FindBy = []dynamodbsource.Lookup{{Identity: personal.KindAccount, Attribute: "account"}}
		},
	} {
		m := indexed
		m.Table = "t"
		change(&m)
		if _, err := dynamodbsource.New(dynamodbsource.Options{ID: "table", Mapping: m, Client: says(""), Pages: &memory{}, Now: clock}); !errors.Is(err, source.ErrRefused) {
			t.Errorf("%s: %v; want ErrRefused", name, err)
		}
	}
}
