package document

import (
	"fmt"
	"slices"
	"strings"

	"rightsdesk/infra/release/cost"
)

// sizes are the months that the page shows, by requests.
var sizes = []struct {
	requests float64
	name     string
}{{0, "nothing happens"}, {1e3, "10^3"}, {1e6, "10^6"}, {1e9, "10^9"}}

func costs(s Sources) ([]byte, error) {
	g, err := s.Template.Give(nil)
	if err != nil {
		return nil, err
	}
	bills := make([]*cost.Bill, len(sizes))
	heads := []string{"a month with so many requests"}
	total, net := []string{"**list prices**"}, []string{"**after what is free for ever**"}
	for i, size := range sizes {
		if bills[i], err = cost.MonthOf(g, s.Units, size.requests); err != nil {
			return nil, err
		}
		heads = append(heads, size.name)
		l, n := bills[i].Total()
		total, net = append(total, "**"+dollars(l)+"**"), append(net, "**"+dollars(n)+"**")
	}
	p := &page{}
	p.say("%s# What it costs\n", made)
	p.say("Rightsdesk itself costs nothing. This is what AWS asks, worked out by `go run ./infra/release cost` from the resources of the template with")
	p.say("the defaults of its parameters, from the units that tests measure and hold to their budgets, and from the prices of %s below.", cost.Region)
	p.say("The first line takes nothing for free; the second what AWS gives every account without an end, if nothing else of yours uses it up.\n")
	rows := [][]string{total, net}
	services := []string{}
	for _, price := range cost.Prices {
		if !slices.Contains(services, price.Service) {
			services = append(services, price.Service)
		}
	}
	for _, service := range services {
		row, used := []string{service}, false
		for _, b := range bills {
			sum := 0.0
			for _, price := range cost.Prices {
				if price.Service == service {
					list, _ := b.Of(price.ID)
					sum += list
				}
			}
			used = used || sum > 0
			row = append(row, dollars(sum))
		}
		if used {
			rows = append(rows, row)
		}
	}
	p.table(heads, rows)
	p.say("The figures are of an installation that is six years old, in which everything lies that is kept: a young one costs less. A billion a month is")
	p.say("arithmetic and no promise: it is 380 a second, for which the limits of the API, of the mail service and `MaxUnitsPerSecond` have to be raised first.")
	p.say("Nearly all of it is mail: with `MailMode` off it is %s at a million.\n", dollars(withoutMail(bills[2])))
	p.say("## What is in it\n")
	p.say("Of a month with 10^3 requests, whatever comes to a cent or more:\n")
	rows = nil
	for _, price := range cost.Prices {
		list, free := bills[1].Of(price.ID)
		if list < 0.005 {
			continue
		}
		rows = append(rows, []string{price.Service, price.Unit, amount(bills[1].Quantity(price.ID)), dollars(list), dollars(free), whatFor(bills[1], price.ID)})
	}
	p.table([]string{"service", "unit", "how many", "list price", "after what is free", "what for"}, rows)
	p.say("## What is added by what you choose\n")
	p.table([]string{"choice", "adds"}, [][]string{
		{"`EdgeWebAclArn`", "The firewall: $5 a month, $1 for each of its rules, $0.60 for a million calls; the distribution: $1 for a million calls and a secret of $0.40. Nothing in it is free for ever but the distribution's first 10 million calls."},
		{"`EventArchiveDays`", "$0.10 for a GB that is put into the archive and $0.023 for a GB and month: a million requests are 6 million events, some 3 GB."},
		{"`DomainName`", "Nothing; the zone of your DNS costs what it costs."},
		{"`SenderIdentity` create", "Nothing."},
		{"An issuer of your own", "Saves the user pool."},
		{"`LogDays`", "$0.03 for a GB and month that lies there longer."},
		{"Secrets of your data stores and apps", "$0.40 each a month."},
		{"A key that is rotated", "The service rotates the key of the key ring each year; each of the first two rotations adds $1 a month."},
	})
	p.say("What stays after the stack was deleted goes on costing: see [teardown](deploy.md#remove-it).\n")
	p.say("## What is reckoned with\n")
	rows = [][]string{{"write and read units of a request", fmt.Sprintf("%g and %g", s.Units.Write, s.Units.Read), "measured on two engines, and held to this budget by `TestBar9_UnitsPerOperation`"}}
	for _, f := range cost.Figures {
		rows = append(rows, []string{f.Name, amount(f.Value), f.Why})
	}
	p.table([]string{"what", "how much", "why"}, rows)
	p.say("## Prices\n")
	p.say("In %s, in US dollars, without tax. Other regions ask up to half as much again.\n", cost.Region)
	rows = nil
	for _, price := range cost.Prices {
		free := "-"
		if price.Free > 0 {
			free = amount(price.Free)
		}
		rows = append(rows, []string{price.Service, price.Unit, fmt.Sprintf("$%.6g", price.Shown()), free, price.Source.Name, price.Source.Read})
	}
	p.table([]string{"service", "a", "costs", "free for ever, a month", "from", "read"}, rows)
	return []byte(p.String()), nil
}

func withoutMail(b *cost.Bill) float64 {
	list, _ := b.Total()
	mail, _ := b.Of("ses.mail")
	return list - mail
}

// whatFor names each use of a price once.
func whatFor(b *cost.Bill, id string) string {
	var uses []string
	for _, l := range b.Lines {
		if l.Price.ID == id && !slices.Contains(uses, l.For) {
			uses = append(uses, l.For)
		}
	}
	return strings.Join(uses, "; ")
}

// dollars writes money: cents while they count.
func dollars(v float64) string {
	if v >= 1000 {
		return "$" + thousands(v)
	}
	return fmt.Sprintf("$%.2f", v)
}

// amount writes a number of units.
func amount(v float64) string {
	if v >= 1000 {
		return thousands(v)
	}
	return fmt.Sprintf("%.3g", v)
}

func thousands(v float64) string {
	digits := fmt.Sprintf("%.0f", v)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(d)
	}
	return b.String()
}
