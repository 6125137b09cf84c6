// Package stores lets a function call the company's data stores. Mains import
// it; what it can reach, the policy file declares.
package stores

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
	"rightsdesk/shared/topology"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	dynamodbsource "rightsdesk/shared/source/dynamodb"
	httpsource "rightsdesk/shared/source/http"
)

// Part is for functions whose topology entry may call sources.
var Part = boot.Part{
	Name:   "stores",
	Grants: func(f topology.Function) bool { return f.Sources },
	Fill:   fill,
}

func fill(ctx context.Context, a *boot.Assembly) error {
	sources := map[string]source.Source{}
	for _, s := range a.Policy.Sources {
		var err error
		switch s.Kind {
		case policy.KindHTTP:
			sources[s.ID] = hookOf(ctx, a, s)
		case policy.KindDynamoDB:
			sources[s.ID], err = tableOf(a, s)
		case policy.KindS3:
			sources[s.ID], err = bucket(a, s)
		case policy.KindCognito:
			sources[s.ID], err = userPool(a, s)
		case policy.KindLogs:
			sources[s.ID], err = logGroups(a, s)
		case policy.KindTask: // a person does it
		}
		if err != nil {
			return fmt.Errorf("source %s: %w", s.ID, err)
		}
	}
	a.Reach(sources)
	return nil
}

// hookOf reaches a store behind a hook. Its secret, secret:NAME, stands in Secrets
// Manager under the installation's own prefix.
func hookOf(ctx context.Context, a *boot.Assembly, s policy.Source) source.Source {
	name := a.Setting(topology.SecretNames) + strings.TrimPrefix(s.Secret, "secret:")
	client := secretsmanager.NewFromConfig(a.AWS)
	var categories []string
	for _, h := range s.Holdings {
		categories = append(categories, h.Category)
	}
	h := &hook{id: s.ID, open: func(ctx context.Context) (*httpsource.Client, error) {
		out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
		if err != nil {
			return nil, fmt.Errorf("read its secret %s: %w", name, err)
		}
		return httpsource.New(httpsource.Options{
			ID: s.ID, URL: s.HTTP.URL, Secret: []byte(strings.TrimSpace(aws.ToString(out.SecretString))), Categories: categories,
			Ties: s.HTTP.Ties, AllowHosts: s.HTTP.AllowHosts, Now: a.Now,
		})
	}}
	if _, err := h.reach(ctx); err != nil {
		a.Log.ErrorContext(ctx, "a data store of the policy cannot be called; the others can", "source", s.ID, "secret", name, "err", err)
	}
	return h
}

// tableOf reaches a table of the company's, as the role that the policy names.
func tableOf(a *boot.Assembly, s policy.Source) (source.Source, error) {
	return dynamodbsource.New(dynamodbsource.Options{
		ID: s.ID, Client: dynamodb.NewFromConfig(as(a, s, s.DynamoDB.Region)), Mapping: mapping(s.DynamoDB),
		Pages: pages{a.Table, a.Now}, Now: a.Now,
	})
}

// as returns how to reach a source that AWS keeps: as the role that the policy
// names, in its region. No region means ours.
func as(a *boot.Assembly, s policy.Source, region string) aws.Config {
	cfg := a.AWS.Copy()
	cfg.Region = cmp.Or(region, cfg.Region)
	if s.IAMRole != "" {
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(a.AWS), s.IAMRole))
	}
	return cfg
}

// mapping tells the adapter what the policy file declares.
func mapping(d policy.DynamoDB) dynamodbsource.Mapping {
	m := dynamodbsource.Mapping{
		Table: d.Table, Key: dynamodbsource.Key{Partition: d.Key.Partition, Sort: d.Key.Sort}, RecordID: d.RecordID,
		CollectedAt: dynamodbsource.Instant{Attribute: d.CollectedAt.Attribute, Format: dynamodbsource.Format(d.CollectedAt.Format)},
		Sweep: dynamodbsource.Sweep{
			Time: dynamodbsource.Instant{Attribute: d.Sweep.Time, Format: dynamodbsource.Format(d.Sweep.Format)}, Hand: d.Sweep.Hand,
			Index: d.Sweep.Index, Attribute: d.Sweep.Attribute, Equals: d.Sweep.Equals, Segments: d.Sweep.Segments,
		},
	}
	for _, l := range d.FindBy {
		m.FindBy = append(m.FindBy, dynamodbsource.Lookup(l))
	}
	for _, i := range d.Items {
		m.Items = append(m.Items, dynamodbsource.Rule(i))
	}
	for _, t := range d.Ties {
		m.Ties = append(m.Ties, dynamodbsource.Tie(t))
	}
	return m
}
