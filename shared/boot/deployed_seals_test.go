package boot_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/checkpoint"
	"rightsdesk/shared/checkpoint/folder"
	"rightsdesk/shared/checkpoint/jws"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/dynamo"
	"rightsdesk/shared/topology"
)

// vaultBucket is the name of the write-once bucket.
const vaultBucket = "checkpoints"

// recordedEntries returns the items of the Audit table as its stream brings them.
func (c *cloud) recordedEntries(t *testing.T) (records []map[string]any, entries [][]byte) {
	t.Helper()
	in := &dynamodb.ScanInput{TableName: &c.tables.Audit, ConsistentRead: aws.Bool(true)}
	for {
		out, err := c.client.Scan(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range out.Items {
			image := map[string]any{}
			for name, v := range item {
				switch v := v.(type) {
				case *types.AttributeValueMemberS:
					image[name] = map[string]string{"S": v.Value}
				case *types.AttributeValueMemberN:
					image[name] = map[string]string{"N": v.Value}
				case *types.AttributeValueMemberB:
					image[name] = map[string]string{"B": base64.StdEncoding.EncodeToString(v.Value)}
					entries = append(entries, v.Value)
				}
			}
			records = append(records, map[string]any{
				"eventID": fmt.Sprintf("%032x", len(records)), "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": region,
				"eventSourceARN": "arn:aws:dynamodb:" + region + ":111122223333:table/" + c.tables.Audit + "/stream/2026-03-05T08:00:00.000",
				"dynamodb": map[string]any{
					"ApproximateCreationDateTime": 1772699408, "Keys": map[string]any{"p": image["p"], "s": image["s"]}, "NewImage": image,
					"SequenceNumber": fmt.Sprint(100 + len(records)), "SizeBytes": 300, "StreamViewType": "NEW_IMAGE",
				},
			})
		}
		if in.ExclusiveStartKey = out.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
			return records, entries
		}
	}
}

// stream brings the relay new entries, and returns which of them are to come again.
func (i *installation) stream(t *testing.T, records []map[string]any) []string {
	t.Helper()
	payload, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	var answer events.DynamoDBEventResponse
	i.functions["relay"].must(payload, &answer)
	failed := []string{}
	for _, f := range answer.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

// seals brings the relay every entry of the audit so far, lets it make checkpoints, and
// verifies them offline, from a copy of the bucket and the published keys.
func (i *installation) seals(t *testing.T, id string) {
	t.Helper()
	relay := i.functions["relay"]
	records, entries := i.recordedEntries(t)
	i.denies("relay s3:")
	if failed := i.stream(t, records[:3]); !slices.Equal(failed, []string{"100"}) {
		t.Errorf("what nobody took down is to come again: %v\n%s", failed, relay.log)
	}
	i.denies("")
	for chunk := range slices.Chunk(records, 100) {
		for range 2 { // a stream may say it twice
			if failed := i.stream(t, chunk); len(failed) > 0 {
				t.Fatalf("%v failed\n%s", failed, relay.log)
			}
		}
	}
	before := len(i.vault.Objects)
	relay.must(recorded(t, "relay/checkpoint.json", ""), nil)
	relay.must(recorded(t, "relay/checkpoint.json", ""), nil) // and has nothing to do
	if made := len(i.vault.Objects) - before; made != 2 {
		t.Errorf("%d objects were written: %v\n%s", made, slices.Sorted(maps.Keys(i.vault.Objects)), relay.log)
	}

	copied, err := folder.Make(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	for key, b := range i.vault.Objects {
		if err := copied.Put(t.Context(), key, b); err != nil {
			t.Fatal(err)
		}
	}
	keys := i.functions["consent"].ask(call(t, topology.Route{Pattern: "GET /.well-known/jwks.json"}, ""), http.StatusOK, nil).Body
	verify := func(entries iter.Seq[[]byte]) checkpoint.Verdict {
		v, err := checkpoint.Verify(t.Context(), checkpoint.Evidence{Vault: copied, Keys: jws.Keys(keys), Entries: func(yield func([]byte, error) bool) {
			for b := range entries {
				if !yield(b, nil) {
					return
				}
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := verify(slices.Values(entries))
	if len(v.Faults) > 0 || v.Sealed != len(entries) || v.Pending > 0 {
		t.Errorf("%d entries: %+v\n%s", len(entries), v, relay.log)
	}
	tampered := 0
	for n, b := range entries {
		e, err := audit.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if e.Chain != "request#"+id {
			continue
		}
		tampered++
		e.Actor = "operator:nobody"
		changed := slices.Clone(entries)
		changed[n] = e.Encode()
		for _, list := range [][][]byte{changed, slices.Delete(slices.Clone(entries), n, n+1)} {
			if v := verify(slices.Values(list)); len(v.Faults) == 0 || v.Faults[0].Chain != e.Chain || v.Faults[0].Seq != e.Seq {
				t.Errorf("entry %d of the request was changed or removed: %v", e.Seq, v.Faults)
			}
		}
	}
	if tampered < 3 {
		t.Errorf("%d entries are about the request", tampered)
	}
	for key, b := range i.vault.Objects {
		for _, s := range []string{"ada@example.org", "Ada Example", "receive", "operator:"} {
			if strings.Contains(string(b), s) {
				t.Errorf("%s holds %q", key, s)
			}
		}
	}
	proof(t, "the relay sealed %d entries of %d checkpoints' audit, and each of %d changes to a request's entries is found offline", v.Sealed, v.Checkpoints, 2*tampered)
}

// expires lets the first entry of a chain expire, and the program that verifies chains read
// in the bucket whether that may be. The clock of the programs cannot be turned: the first
// checkpoint is made older instead than entries are kept.
func (i *installation) expires(t *testing.T) {
	t.Helper()
	requests, relay := i.functions["requests"], i.functions["relay"]
	const chain = "operator#somebody#2026-03-05"
	at := time.Now().Truncate(time.Second)
	var head audit.Head
	var writes []table.Write
	for _, expires := range []time.Time{at.Add(-time.Hour), at.AddDate(6, 0, 0), at.AddDate(6, 0, 0)} {
		var e audit.Entry
		e, head = head.Append(audit.Entry{Chain: chain, At: at, Actor: "operator:somebody", Action: "read", Commit: "c1"})
		writes = append(writes, table.Put(table.Audit, table.Item{
			Key: restore.EntryKey(chain, e.Seq), Body: e.Encode(), Schema: 1, Expires: expires,
		}, table.New))
	}
	body, err := json.Marshal(map[string]audit.Head{"head": head})
	if err != nil {
		t.Fatal(err)
	}
	writes = append(writes, table.Put(table.State, table.Item{
		Key: table.Key{Partition: chain, Sort: "-"}, Body: body, Schema: 1, Due: at.AddDate(1, 0, 0),
	}, table.New))
	if err := dynamo.New(i.direct, i.tables, time.Now).Commit(t.Context(), table.NewID(), writes...); err != nil {
		t.Fatal(err)
	}
	var found struct {
		Chains, Expired, Gone int
		Broken                []struct {
			Chain, Why string
			Seq        int
		}
		Cursor string
	}
	walk := call(t, topology.Route{Pattern: "GET /v1/operator/audit/verify"}, "", signedIn(handler))
	before := i.called("requests", "s3:GetObject Checkpoints/*")
	requests.ask(walk, http.StatusOK, &found)
	if found.Expired != 0 || len(found.Broken) != 1 || found.Broken[0].Chain != chain || found.Broken[0].Seq != 1 || found.Cursor != "" {
		t.Errorf("in a young installation: %+v", found)
	}
	if n := i.called("requests", "s3:GetObject Checkpoints/*") - before; n != 1 {
		t.Errorf("in a young installation %d objects are read", n)
	}
	i.ages(t)
	requests.ask(walk, http.StatusOK, &found)
	if found.Expired != 0 || len(found.Broken) != 1 || found.Broken[0].Chain != chain {
		t.Errorf("before what is left was sealed: %+v", found)
	}
	records, _ := i.recordedEntries(t)
	records = slices.DeleteFunc(records, func(r map[string]any) bool {
		return !strings.Contains(fmt.Sprint(r["dynamodb"]), chain)
	})
	if failed := i.stream(t, records[1:]); len(records) != 3 || len(failed) > 0 { // a scan has each chain in order
		t.Fatalf("%d entries, %v failed\n%s", len(records), failed, relay.log)
	}
	relay.must(recorded(t, "relay/checkpoint.json", ""), nil)
	i.denies("requests s3:")
	requests.ask(walk, http.StatusInternalServerError, nil)
	i.denies("")
	before = i.called("requests", "s3:GetObject Checkpoints/*")
	found.Broken = nil
	requests.ask(walk, http.StatusOK, &found)
	if found.Expired != 1 || found.Gone != 0 || len(found.Broken) > 0 || found.Cursor != "" {
		t.Errorf("once it was sealed: %+v\n%s", found, requests.log)
	}
	proof(t, "of %d chains one has lost what expired, which is seen from %d reads of checkpoints", found.Chains, i.called("requests", "s3:GetObject Checkpoints/*")-before)
}

// ages makes the first checkpoint twenty years older, with the installation's own key.
func (i *installation) ages(t *testing.T) {
	t.Helper()
	const key = "checkpoints/000000000001.jws"
	wrapped, err := dynamo.New(i.direct, i.tables, time.Now).Get(t.Context(), table.Ref{Table: table.Keys, Key: table.Key{Partition: "ring", Sort: "-"}})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(wrapped.Body) // see kms
	ring, err := seal.ParseRing(wrapped.Body)
	if err != nil {
		t.Fatal(err)
	}
	signer := jws.Signer{Ring: func() *seal.Ring { return ring }}
	document, err := signer.Check(string(i.vault.Objects[key]))
	if err != nil {
		t.Fatal(err)
	}
	var first checkpoint.Statement
	if err := json.Unmarshal(document, &first); err != nil {
		t.Fatal(err)
	}
	first.At = first.At.AddDate(-20, 0, 0)
	if document, err = json.Marshal(first); err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(document)
	if err != nil {
		t.Fatal(err)
	}
	i.vault.Objects[key] = []byte(signed)
}
