package stack_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/dynamo"
)

var tables = map[table.Name]string{table.State: "StateTable", table.Audit: "AuditTable", table.Keys: "KeysTable"}

// What the streams of the tables hold: of the State table, which holds sealed fields, the
// keys alone; of the Audit table, which holds nothing personal, whole entries.
var streams = map[table.Name]any{table.State: "KEYS_ONLY", table.Audit: "NEW_IMAGE"}

// No scanner that we know finds all of this, so it is asserted here.
func TestTablesOutliveMistakes(t *testing.T) {
	tpl := load(t)
	if n := len(tpl.Resources) - len(tpl.all("AWS::DynamoDB::GlobalTable")); n != len(tpl.Resources) {
		t.Error("there is a GlobalTable: this test would not see its replicas")
	}
	if got := len(tpl.all("AWS::DynamoDB::Table")); got != len(tables) {
		t.Errorf("there are %d tables, want %d", got, len(tables))
	}
	days := map[table.Name]float64{table.State: 35, table.Audit: 35, table.Keys: seal.Recovery.Hours() / 24}
	for _, name := range table.Names {
		r := tpl.one(t, "AWS::DynamoDB::Table", tables[name])
		p := r.Properties
		if r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
			t.Errorf("%s goes with the stack", name)
		}
		if at(p, "DeletionProtectionEnabled") != true {
			t.Errorf("%s can be deleted by mistake", name)
		}
		if at(p, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled") != true ||
			at(p, "PointInTimeRecoverySpecification", "RecoveryPeriodInDays") != days[name] {
			t.Errorf("%s: recovery is %v, want %v days", name, p["PointInTimeRecoverySpecification"], days[name])
		}
		if at(p, "TimeToLiveSpecification", "Enabled") != true || at(p, "TimeToLiveSpecification", "AttributeName") != dynamo.ExpiresAt {
			t.Errorf("%s does not expire items by %s", name, dynamo.ExpiresAt)
		}
		for _, fuse := range []string{"MaxReadRequestUnits", "MaxWriteRequestUnits"} {
			if target(at(p, "OnDemandThroughput", fuse)) != "MaxUnitsPerSecond" {
				t.Errorf("%s has no fuse: %s is %v", name, fuse, at(p, "OnDemandThroughput", fuse))
			}
		}
		for i, ix := range list(p["GlobalSecondaryIndexes"]) {
			if target(at(ix, "OnDemandThroughput", "MaxReadRequestUnits")) != "MaxUnitsPerSecond" {
				t.Errorf("%s: reads of index %d have no fuse", name, i)
			}
		}
		if stream := at(p, "StreamSpecification", "StreamViewType"); stream != streams[name] {
			t.Errorf("%s has the stream %v, want %v", name, stream, streams[name])
		}
	}
}

// The stack and the adapter each say what a table is like; they must agree.
func TestTablesAreLikeTheAdapters(t *testing.T) {
	tpl := load(t)
	for _, name := range table.Names {
		in := dynamo.TableInput(name, "")
		p := tpl.one(t, "AWS::DynamoDB::Table", tables[name]).Properties
		for property, want := range map[string]any{
			"BillingMode":            in.BillingMode,
			"KeySchema":              keySchema(in.KeySchema),
			"AttributeDefinitions":   attributes(in.AttributeDefinitions),
			"GlobalSecondaryIndexes": indexes(in.GlobalSecondaryIndexes),
		} {
			b, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			var w any
			if err := json.Unmarshal(b, &w); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(withoutFuse(p[property]), w) {
				t.Errorf("%s: %s is %s, the adapter needs %s", name, property, flat(p[property]), b)
			}
		}
	}
}

// withoutFuse leaves out what the adapter's tables need not have.
func withoutFuse(v any) any {
	indexes, ok := v.([]any)
	if !ok {
		return v
	}
	var out []any
	for _, ix := range indexes {
		ix, ok := ix.(map[string]any)
		if !ok {
			return v
		}
		ix = maps.Clone(ix)
		delete(ix, "OnDemandThroughput")
		out = append(out, ix)
	}
	return out
}

func keySchema(in []types.KeySchemaElement) (out []map[string]string) {
	for _, k := range in {
		out = append(out, map[string]string{"AttributeName": *k.AttributeName, "KeyType": string(k.KeyType)})
	}
	return out
}

func attributes(in []types.AttributeDefinition) (out []map[string]string) {
	for _, a := range in {
		out = append(out, map[string]string{"AttributeName": *a.AttributeName, "AttributeType": string(a.AttributeType)})
	}
	return out
}

func indexes(in []types.GlobalSecondaryIndex) (out []map[string]any) {
	for _, ix := range in {
		out = append(out, map[string]any{
			"IndexName":  *ix.IndexName,
			"KeySchema":  keySchema(ix.KeySchema),
			"Projection": map[string]any{"ProjectionType": ix.Projection.ProjectionType, "NonKeyAttributes": ix.Projection.NonKeyAttributes},
		})
	}
	return out
}

func TestNobodyChangesAnAuditEntry(t *testing.T) {
	policy := at(load(t).one(t, "AWS::DynamoDB::Table", "AuditTable").Properties, "ResourcePolicy", "PolicyDocument", "Statement", 0)
	if at(policy, "Effect") != "Deny" || at(policy, "Principal") != "*" || at(policy, "Condition") != nil {
		t.Fatalf("the audit table's own policy spares somebody: %v", policy)
	}
	denied := map[any]bool{}
	for _, a := range list(at(policy, "Action")) {
		denied[a] = true
	}
	for _, verb := range []string{"UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLDelete"} {
		if !denied["dynamodb:"+verb] {
			t.Errorf("the audit table's own policy lets %s pass", verb)
		}
	}
}

// What is in a bucket is somebody's: no bucket of ours is open, in clear or gone by mistake.
func TestBucketsAreShutAndOutliveMistakes(t *testing.T) {
	tpl := load(t)
	buckets := tpl.all("AWS::S3::Bucket")
	if len(buckets) != 3 {
		t.Errorf("there are %d buckets, want 3", len(buckets))
	}
	for logical, r := range buckets {
		name := plain(logical)
		for _, block := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
			if at(r.Properties, "PublicAccessBlockConfiguration", block) != true {
				t.Errorf("%s: %s is off", name, block)
			}
		}
		if at(r.Properties, "OwnershipControls", "Rules", 0, "ObjectOwnership") != "BucketOwnerEnforced" {
			t.Errorf("%s: somebody else may own what is in it", name)
		}
		if at(r.Properties, "BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault", "SSEAlgorithm") == nil {
			t.Errorf("%s is not encrypted", name)
		}
		if r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
			t.Errorf("%s goes with the stack, or fails to", name)
		}
		if s := flat(tpl.one(t, "AWS::S3::BucketPolicy", name+"Policy").Properties); !strings.Contains(s, `{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"`) {
			t.Errorf("%s may be read and written in clear: %s", name, s)
		}
		if versions := at(r.Properties, "VersioningConfiguration", "Status"); (versions == "Enabled") != (name != "Exports") {
			t.Errorf("%s: versions are %v; policies and sealed entries keep theirs, packages are gone when deleted", name, versions)
		}
	}
}

func TestPackagesAndReplacedPoliciesGoAtLast(t *testing.T) {
	tpl := load(t)
	rule := at(tpl.one(t, "AWS::S3::Bucket", "Exports").Properties, "LifecycleConfiguration", "Rules", 0)
	if days, _ := at(rule, "ExpirationInDays").(float64); days < 365 || at(rule, "Status") != "Enabled" {
		t.Errorf("the bucket deletes after %v days, while a request may still be open: %s", days, flat(rule))
	}
	rule = at(tpl.one(t, "AWS::S3::Bucket", "Policies").Properties, "LifecycleConfiguration", "Rules", 0)
	if days, _ := at(rule, "NoncurrentVersionExpiration", "NoncurrentDays").(float64); days < 365 || at(rule, "ExpirationInDays") != nil {
		t.Errorf("a policy file that was replaced goes after %v days, or one that was not goes too: %s", days, flat(rule))
	}
}

// Whoever takes over a role, the relay's included, cannot make a sealed entry not have been.
func TestSealedEntriesAreWrittenOnce(t *testing.T) {
	p := load(t).one(t, "AWS::S3::Bucket", "Checkpoints").Properties
	lock := at(p, "ObjectLockConfiguration", "Rule", "DefaultRetention")
	if p["ObjectLockEnabled"] != true || at(p, "ObjectLockConfiguration", "ObjectLockEnabled") != "Enabled" ||
		flat(at(lock, "Mode")) != `{"Fn::If":["LocksForGood","COMPLIANCE","GOVERNANCE"]}` || target(at(lock, "Days")) != "CheckpointDays" {
		t.Errorf("sealed entries can be replaced or deleted: %s", flat(p))
	}
	// A lock alone lets somebody put another object over one, of which the lock keeps the older version.
	if s := flat(load(t).one(t, "AWS::S3::BucketPolicy", "CheckpointsPolicy").Properties); !strings.Contains(s, `"Action":"s3:PutObject","Condition":{"Null":{"s3:if-none-match":"true"}},"Effect":"Deny","Principal":"*"`) {
		t.Errorf("another object can be put over a sealed entry: %s", s)
	}
	if p["LifecycleConfiguration"] != nil {
		t.Errorf("sealed entries go by themselves: %s", flat(p["LifecycleConfiguration"]))
	}
	for holder, statements := range load(t).statements() {
		for _, s := range statements {
			for _, a := range list(s["Action"]) {
				if s["Effect"] == "Allow" && strings.Contains(flat(s["Resource"]), "Checkpoints") && !slices.Contains([]string{"s3:GetObject", "s3:PutObject", "s3:ListBucket"}, str(a)) {
					t.Errorf("%s may %v what is sealed", holder, a)
				}
			}
		}
	}
}

func TestTheMasterKeyStays(t *testing.T) {
	r := load(t).one(t, "AWS::KMS::Key", "MasterKey")
	if r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
		t.Error("the key goes with the stack, and all sealed fields with it")
	}
	if at(r.Properties, "EnableKeyRotation") != true {
		t.Error("the key does not rotate")
	}
}

func TestEveryQueueHasADeadLetterQueueOrIsOne(t *testing.T) {
	tpl := load(t)
	last := map[string]bool{"Lost": true} // where schedules and streams leave what they cannot deliver
	for _, r := range tpl.all("AWS::SQS::Queue") {
		last[target(at(r.Properties, "RedrivePolicy", "deadLetterTargetArn"))] = true
	}
	secure := map[string]bool{}
	for _, r := range tpl.all("AWS::SQS::QueuePolicy") {
		if strings.Contains(flat(r.Properties), `{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"`) {
			secure[target(at(r.Properties, "Queues", 0))] = true
		}
	}
	for logical, r := range tpl.all("AWS::SQS::Queue") {
		if r.Properties["RedrivePolicy"] == nil && !last[plain(logical)] {
			t.Errorf("%s loses what nobody can handle", plain(logical))
		}
		if !secure[plain(logical)] {
			t.Errorf("%s takes messages in clear", plain(logical))
		}
		if at(r.Properties, "SqsManagedSseEnabled") != true {
			t.Errorf("%s is not encrypted", plain(logical))
		}
	}
}
