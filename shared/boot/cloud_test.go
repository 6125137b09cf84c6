package boot_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/export/s3/s3test"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/dynamo"
	"rightsdesk/shared/table/tabletest"
	"rightsdesk/shared/topology"
)

const (
	region    = "eu-west-3"
	secretKey = "not-a-secret"
	sender    = "Rightsdesk <privacy@example.org>"
	mailSet   = "Rightsdesk-MailSet-k3J9x2Qw7Lp1"
	stepsURL  = "https://sqs.eu-west-3.amazonaws.com/111122223333/steps"
	masterKey = "arn:aws:kms:eu-west-3:111122223333:key/0000"
	secrets   = "Rightsdesk/"
	secret    = "a secret of a hook or an app, of thirty-two bytes at least"
	baseURL   = "https://privacy.example.org"
	profile   = "cloud-platform"
	contact   = "privacy@desk.internal" // nobody's, but at no domain that is reserved for examples

	policyBucket = "policies"
)

// cloud is what functions reach under AWS_ENDPOINT_URL: Dynoxide for DynamoDB,
// and as much of the other services as the functions use. It refuses what the
// template does not grant the role of a function, as the account would: every
// function signs with credentials of its own.
type cloud struct {
	*httptest.Server
	t      *testing.T
	dynamo *httputil.ReverseProxy
	tables dynamo.Tables
	bucket *s3test.Bucket
	vault  *s3test.Bucket   // write-once
	client *dynamodb.Client // of the tables, past everybody's grants
	grants map[string]bool  // like calls
	direct aws.Config       // that it was made by

	mu    sync.Mutex
	mails []mail
	bus   []busEvent
	hints []string       // messages in the queue of steps
	calls map[string]int // by function, action and resource, such as "relay events:PutEvents Bus"
	down  bool           // every table refuses
	deny  string         // caller and action that IAM refuses, such as "fulfil sts:AssumeRole"
	// suppressed is the account's list of addresses to which SES delivers nothing more.
	suppressed []suppressed
}

// busEvent is what was put on the bus.
type busEvent struct{ EventBusName, Source, DetailType, Detail string }

type mail struct{ to, subject, text string }

type suppressed struct {
	EmailAddress, Reason string
	LastUpdateTime       float64
}

// The company's own tables, as the profile declares them.
var company = []*dynamodb.CreateTableInput{
	table1("members", "member", "item", "by-mail", "mail"), table1("activity", "member", "at", "", ""),
}

func table1(name, partition, sort, index, on string) *dynamodb.CreateTableInput {
	text := func(n string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &n, AttributeType: types.ScalarAttributeTypeS}
	}
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{text(partition), text(sort)},
		KeySchema:            []types.KeySchemaElement{{AttributeName: &partition, KeyType: types.KeyTypeHash}, {AttributeName: &sort, KeyType: types.KeyTypeRange}},
	}
	if sort == "at" {
		in.AttributeDefinitions[1].AttributeType = types.ScalarAttributeTypeN
	}
	if index != "" {
		in.AttributeDefinitions = append(in.AttributeDefinitions, text(on))
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
			IndexName: &index, KeySchema: []types.KeySchemaElement{{AttributeName: &on, KeyType: types.KeyTypeHash}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}}
	}
	return in
}

// openCloud starts a cloud with empty tables and one member of the company.
func openCloud(t *testing.T) *cloud {
	t.Helper()
	endpoint := tabletest.Emulator(t)
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	cfg := aws.Config{Region: region, BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	c := &cloud{
		t: t, grants: granted(t), dynamo: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }},
		tables: tabletest.Tables(t, cfg), calls: map[string]int{},
		bucket: &s3test.Bucket{Secret: secretKey, Now: time.Now, Objects: map[string][]byte{}},
		vault:  &s3test.Bucket{Objects: map[string][]byte{}},
	}
	client := dynamodb.NewFromConfig(cfg)
	c.client, c.direct = client, cfg
	for _, in := range company {
		if _, err := client.CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	_, err = client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("members"), Item: map[string]types.AttributeValue{
		"member": &types.AttributeValueMemberS{Value: "m-1"}, "item": &types.AttributeValueMemberS{Value: "profile"},
		"mail": &types.AttributeValueMemberS{Value: "ada@example.org"}, "name": &types.AttributeValueMemberS{Value: "Ada Example"},
		"at": &types.AttributeValueMemberN{Value: "1700000000"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// environment is what Lambda sets for a function, and nothing else: what is not
// in here, a function does not need.
func (c *cloud) environment(f topology.Function) map[string]string {
	env := map[string]string{
		"AWS_REGION": region, "AWS_ENDPOINT_URL": c.URL,
		"AWS_ACCESS_KEY_ID": f.Name, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_SESSION_TOKEN": "session-of-" + f.Name,
	}
	for _, s := range f.Settings() {
		env[string(s)] = map[topology.Setting]string{
			topology.StateTable: c.tables.State, topology.AuditTable: c.tables.Audit, topology.KeysTable: c.tables.Keys,
			topology.StepsQueue: stepsURL, topology.ExportsName: s3test.Name, topology.Sender: sender, topology.ConfigurationSet: mailSet, topology.MasterKey: masterKey,
			topology.BaseURL: baseURL, topology.Profile: profile, topology.MailMode: "on", topology.RoleClaim: "rightsdesk:roles", topology.MFAClaim: "amr",
			topology.EdgeSecret: topology.NoValue, topology.ControllerName: "Example Cloud Ltd", topology.PrivacyContact: contact,
			topology.PolicyBucket: policyBucket, topology.EventBus: "bus", topology.Checkpoints: vaultBucket, topology.Installed: "checkout/1", topology.SecretNames: secrets,
		}[s]
	}
	return env
}

// role is whom the functions become to reach the company's tables.
const role = "the-companys-role"

// ServeHTTP answers one call of a service.
func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	caller, service := signedBy(r)
	i := slices.IndexFunc(topology.All, func(f topology.Function) bool { return f.Name == caller })
	var f topology.Function // the zero function is granted nothing
	if i >= 0 {
		f = topology.All[i]
	}
	if want := "session-of-" + caller; r.Header.Get("X-Amz-Security-Token")+r.URL.Query().Get("X-Amz-Security-Token") != want {
		c.t.Errorf("%s calls %s without the token of its session", caller, service)
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if c.denied(w, caller, service, operation) {
		return
	}
	switch service {
	case "dynamodb":
		c.table(w, r, f, caller, operation, body)
	case "kms":
		c.kms(w, f, operation, body)
	case "sqs":
		c.sqs(w, f, operation, body)
	case "events":
		c.events(w, f, operation, body)
	case "ses":
		c.ses(w, r, f, body)
	case "secretsmanager":
		below := func(prefix string) bool { return strings.Contains(string(body), `"SecretId":"`+secrets+prefix) }
		which := "secret:AWS::StackName/*"
		if below("apps/") && !f.Sources {
			which = "secret:AWS::StackName/apps/*"
		}
		if c.may(w, f, "secretsmanager:"+operation, which, below("")) {
			answer(w, map[string]string{"SecretString": secret + "\n"})
		}
	case "sts":
		if c.may(w, f, "sts:AssumeRole", "SourceRoleArns", strings.Contains(string(body), "Action=AssumeRole&")) {
			_, _ = fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>x</SecretAccessKey>`+
				`<SessionToken>session-of-%[1]s</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, role)
		}
	case "s3":
		c.object(w, r, f)
	default:
		c.may(w, f, service, operation, false)
	}
}

// denied answers as IAM does to who lacks a permission.
func (c *cloud) denied(w http.ResponseWriter, caller, service, operation string) bool {
	c.mu.Lock()
	deny := c.deny
	c.mu.Unlock()
	if service == "sts" {
		operation = "AssumeRole"
	}
	action := service + ":" + operation
	if deny == "" || deny != caller+" "+action {
		return false
	}
	says := "User: arn:aws:sts::111122223333:assumed-role/" + caller + "/x is not authorized to perform: " + action +
		" on resource: arn:aws:" + service + ":eu-west-3:111122223333:thing because no identity-based policy allows the " + action + " action"
	w.WriteHeader(http.StatusForbidden)
	if service == "sts" {
		_, _ = fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>%s</Message></Error></ErrorResponse>`, says)
		return true
	}
	_, _ = fmt.Fprintf(w, `{"__type":"AccessDeniedException","message":"%s"}`, says)
	return true
}

func (c *cloud) denies(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deny = what
}

// object answers a call of S3. One by a link is judged by the role of who signed it.
func (c *cloud) object(w http.ResponseWriter, r *http.Request, f topology.Function) {
	action := map[string]string{
		http.MethodGet: "GetObject", http.MethodHead: "GetObject", http.MethodPut: "PutObject", http.MethodDelete: "DeleteObject",
	}[r.Method]
	bucket, file, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	name := map[string]string{policyBucket: "Policies", vaultBucket: "Checkpoints", s3test.Name: "Exports"}[bucket]
	keeper, fine := c.bucket, true
	switch {
	case file == "":
		action = "ListBucket"
	case bucket == policyBucket:
		name += "/" + file
	default:
		name += "/*"
	}
	if bucket == vaultBucket {
		keeper, fine = c.vault, r.Method != http.MethodPut || r.Header.Get("If-None-Match") == "*"
	}
	if c.may(w, f, "s3:"+action, name, fine) {
		keeper.ServeHTTP(w, r)
	}
}

// signedBy returns the key and the service in the signature of a call.
func signedBy(r *http.Request) (caller, service string) {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if link := r.URL.Query().Get("X-Amz-Credential"); link != "" {
		credential = link
	}
	parts := strings.Split(credential, "/") // key, day, region, service, ...
	if len(parts) < 5 {
		return "", ""
	}
	return parts[0], parts[3]
}

// may counts a call, and refuses one that the template does not grant, or that is not
// as the conditions of the grant have it.
func (c *cloud) may(w http.ResponseWriter, f topology.Function, action, resource string, fine bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := f.Name + " " + action + " " + resource
	c.calls[call]++
	if !fine || !c.grants[call] {
		c.t.Errorf("no grant of the template covers %s (as the conditions have it: %t)", call, fine)
		refuse(w, http.StatusForbidden, "AccessDeniedException")
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, status int, name string) {
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"__type":"` + name + `","message":"no"}`))
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(v) // the function went away
}

func (c *cloud) table(w http.ResponseWriter, r *http.Request, f topology.Function, caller, operation string, body []byte) {
	type part struct{ TableName, IndexName string }
	var in struct {
		part
		TransactItems []map[string]part
	}
	if err := json.Unmarshal(body, &in); err != nil {
		c.t.Error(err)
	}
	type use struct{ action, table string }
	uses := []use{{operation, in.TableName}}
	if operation == "TransactWriteItems" {
		uses = nil
		for _, item := range in.TransactItems {
			for verb, p := range item {
				uses = append(uses, use{map[string]string{"ConditionCheck": "ConditionCheckItem"}[verb], p.TableName})
				if last := &uses[len(uses)-1]; last.action == "" {
					last.action = verb + "Item"
				}
			}
		}
	}
	names := map[string]string{c.tables.State: "StateTable", c.tables.Audit: "AuditTable", c.tables.Keys: "KeysTable"}
	for _, u := range uses {
		resource := names[u.table]
		if in.IndexName != "" {
			resource += "/index/" + in.IndexName
		}
		// The company decides what it grants the role that its sources are reached by; our
		// tables it cannot.
		if caller == role {
			if slices.ContainsFunc(table.Names, func(n table.Name) bool { return bytes.Contains(body, []byte(c.tables.Physical(n))) }) {
				c.t.Errorf("the company's role reaches our tables: %s", body)
			}
			continue
		}
		if !c.may(w, f, "dynamodb:"+u.action, resource, true) {
			return
		}
	}
	c.mu.Lock()
	down := c.down
	c.mu.Unlock()
	if down {
		refuse(w, http.StatusBadRequest, "AccessDeniedException")
		return
	}
	c.dynamo.ServeHTTP(w, r)
}

// kms wraps by reversing, which is no cipher but shows what becomes of what.
func (c *cloud) kms(w http.ResponseWriter, f topology.Function, operation string, body []byte) {
	var in struct {
		KeyID                     string `json:"KeyId"`
		Plaintext, CiphertextBlob []byte
		EncryptionContext         map[string]string
	}
	if err := json.Unmarshal(body, &in); err != nil {
		c.t.Error(err)
	}
	if !c.may(w, f, "kms:"+operation, "MasterKey", in.KeyID == masterKey && maps.Equal(in.EncryptionContext, map[string]string{"rightsdesk": "key ring"})) {
		return
	}
	reverse := func(b []byte) []byte { b = bytes.Clone(b); slices.Reverse(b); return b }
	answer(w, map[string][]byte{"CiphertextBlob": reverse(in.Plaintext), "Plaintext": reverse(in.CiphertextBlob)})
}

func (c *cloud) sqs(w http.ResponseWriter, f topology.Function, operation string, body []byte) {
	var in struct {
		QueueURL    string `json:"QueueUrl"`
		MessageBody string
	}
	if err := json.Unmarshal(body, &in); err != nil {
		c.t.Error(err)
	}
	if !c.may(w, f, "sqs:"+operation, "StepsQueue", in.QueueURL == stepsURL) {
		return
	}
	c.mu.Lock()
	c.hints = append(c.hints, in.MessageBody)
	c.mu.Unlock()
	sum := md5.Sum([]byte(in.MessageBody))
	answer(w, map[string]string{"MessageId": "m-1", "MD5OfMessageBody": hex.EncodeToString(sum[:])})
}

// events is the bus that the company's own systems listen to.
func (c *cloud) events(w http.ResponseWriter, f topology.Function, operation string, body []byte) {
	var in struct{ Entries []busEvent }
	if err := json.Unmarshal(body, &in); err != nil {
		c.t.Error(err)
	}
	own := !slices.ContainsFunc(in.Entries, func(e busEvent) bool { return e.EventBusName != "bus" || e.Source != "rightsdesk" })
	if !c.may(w, f, "events:"+operation, "Bus", own) {
		return
	}
	taken := make([]map[string]string, len(in.Entries))
	c.mu.Lock()
	for i, e := range in.Entries {
		c.bus = append(c.bus, e)
		taken[i] = map[string]string{"EventId": fmt.Sprint(len(c.bus))}
	}
	c.mu.Unlock()
	answer(w, map[string]any{"FailedEntryCount": 0, "Entries": taken})
}

func (c *cloud) ses(w http.ResponseWriter, r *http.Request, f topology.Function, body []byte) {
	if r.Method == http.MethodGet {
		c.lists(w, r, f)
		return
	}
	var in struct {
		FromEmailAddress, ConfigurationSetName string
		Destination                            struct{ ToAddresses []string }
		Content                                struct {
			Simple struct {
				Subject struct{ Data string }
				Body    struct{ Text struct{ Data string } }
			}
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		c.t.Error(err)
	}
	known := r.URL.Path == "/v2/email/outbound-emails" && in.FromEmailAddress == sender && in.ConfigurationSetName == mailSet
	for _, resource := range []string{"identity/*", "configuration-set/MailSet"} { // SES asks about both
		if !c.may(w, f, "ses:SendEmail", resource, known) {
			return
		}
	}
	s := in.Content.Simple
	c.mu.Lock()
	c.mails = append(c.mails, mail{strings.Join(in.Destination.ToAddresses, " "), s.Subject.Data, s.Body.Text.Data})
	c.mu.Unlock()
	answer(w, map[string]string{"MessageId": "m-1"})
}

// lists answers one address at a time, with the next one's number for a token.
func (c *cloud) lists(w http.ResponseWriter, r *http.Request, f topology.Function) {
	q := r.URL.Query()
	from, errFrom := time.Parse(time.RFC3339, q.Get("StartDate"))
	to, errTo := time.Parse(time.RFC3339, q.Get("EndDate"))
	asked := r.URL.Path == "/v2/email/suppression/addresses" && errFrom == nil && errTo == nil && slices.Equal(q["Reason"], []string{"BOUNCE", "COMPLAINT"})
	if !c.may(w, f, "ses:ListSuppressedDestinations", "*", asked) {
		return
	}
	c.mu.Lock()
	list := slices.Clone(c.suppressed)
	c.mu.Unlock()
	n, _ := strconv.Atoi(q.Get("NextToken")) // the first call has none
	page := map[string]any{"SuppressedDestinationSummaries": []suppressed{}}
	if n < len(list) {
		if at := time.UnixMilli(int64(list[n].LastUpdateTime * 1000)); !at.Before(from) && at.Before(to) {
			page["SuppressedDestinationSummaries"] = list[n : n+1]
		}
		page["NextToken"] = strconv.Itoa(n + 1)
	}
	answer(w, page)
}

// sent returns the mails since the last time it was asked.
func (c *cloud) sent() []mail {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.mails
	c.mails = nil
	return m
}

// hinted returns the messages since the last time it was asked.
func (c *cloud) hinted() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hints
	c.hints = nil
	return h
}

// called returns how often a function made a call, such as "kms:Decrypt MasterKey".
func (c *cloud) called(function, action string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[function+" "+action]
}

func (c *cloud) refuseTables(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = yes
}
