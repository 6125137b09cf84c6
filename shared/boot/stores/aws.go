package stores

import (
	"cmp"
	"strings"
	"time"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	cognitosource "rightsdesk/shared/source/cognito"
	logssource "rightsdesk/shared/source/logs"
	s3source "rightsdesk/shared/source/s3"
)

// bucket reaches objects of the company's.
func bucket(a *boot.Assembly, s policy.Source) (source.Source, error) {
	cfg := as(a, s, s.S3.Region)
	m := s3source.Mapping{Bucket: s.S3.Bucket, Prefix: s.S3.Prefix, Tag: s.S3.Tag, Within: s.S3.Within, OpenNames: s.S3.OpenNames}
	for _, o := range s.S3.Objects {
		m.Objects = append(m.Objects, s3source.Rule(o))
	}
	return s3source.New(s3source.Options{
		ID: s.ID, Mapping: m, Pages: pages{a.Table, a.Now}, Now: a.Now,
		Client: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = cfg.BaseEndpoint != nil }),
	})
}

// userPool reaches users of the company's apps. The id of a pool begins with its region.
func userPool(a *boot.Assembly, s policy.Source) (source.Source, error) {
	region, _, _ := strings.Cut(s.Cognito.UserPool, "_")
	return cognitosource.New(cognitosource.Options{
		ID: s.ID, Client: cognitoidentityprovider.NewFromConfig(as(a, s, cmp.Or(s.Cognito.Region, region))),
		Mapping: cognitosource.Mapping{
			UserPool: s.Cognito.UserPool, Category: s.Cognito.Category, Account: s.Cognito.Account, Ties: s.Cognito.Ties, ProvenEmail: proven(s, "email"),
		},
		Pages: pages{a.Table, a.Now}, Now: a.Now,
	})
}

// proven reports whether a correction of the address, as the source names it, is
// always one of the field email: that is what a request has its new owner prove.
func proven(s policy.Source, attribute string) bool {
	for _, h := range s.Holdings {
		for field, name := range h.Correctable {
			if name == attribute && field != string(personal.KindEmail) {
				return false
			}
		}
	}
	return true
}

// logGroups reaches logs of the company's. Their holdings all have one period.
func logGroups(a *boot.Assembly, s policy.Source) (source.Source, error) {
	days := 0
	if len(s.Holdings) > 0 {
		days = atMost(s.Holdings[0].Keep.Period)
	}
	return logssource.New(logssource.Options{
		ID: s.ID, Groups: s.Logs.Groups, Days: days, Set: s.Logs.Set, Now: a.Now, Client: cloudwatchlogs.NewFromConfig(as(a, s, s.Logs.Region)),
	})
}

// atMost returns a period in days, counted where it is shortest: months from
// February, in a year that is no leap year.
func atMost(p policy.Period) int {
	shortest := 0
	for month := time.January; month <= time.December; month++ {
		from := time.Date(2025, month, 1, 0, 0, 0, 0, time.UTC)
		if days := int(p.After(from).Sub(from) / (24 * time.Hour)); shortest == 0 || days < shortest {
			shortest = days
		}
	}
	return shortest
}
