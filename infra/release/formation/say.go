package formation

import (
	"fmt"
	"strings"
)

// Say writes a value as somebody reads it: a resource by its plain name, an ARN
// without the parts that are the same everywhere.
func Say(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		words := []string{}
		for _, e := range v {
			words = append(words, Say(e))
		}
		return strings.Join(words, ", ")
	}
	name, argument, ok := intrinsic(v)
	if !ok {
		return fmt.Sprint(v)
	}
	switch name {
	case "Ref":
		return reference(Text(argument))
	case "Fn::GetAtt":
		id, attribute, _ := strings.Cut(Text(List(argument)[0]), ".")
		if l := List(argument); len(l) > 1 {
			attribute = Text(l[1])
		}
		switch attribute {
		case "Arn", "":
			return Plain(id)
		case "StreamArn":
			return Plain(id) + "/stream"
		}
		return Plain(id) + "." + attribute
	case "Fn::Join":
		words := []string{}
		for _, e := range List(At(argument, 1)) {
			words = append(words, Say(e))
		}
		return short(strings.Join(words, Text(At(argument, 0))))
	case "Fn::Sub":
		text := Text(List(argument)[0])
		return short(inSub.ReplaceAllStringFunc(text, func(m string) string {
			id, attribute, _ := strings.Cut(m[2:len(m)-1], ".")
			if attribute == "" || attribute == "Arn" {
				return reference(id)
			}
			return Plain(id) + "." + attribute
		}))
	case "Fn::Select":
		if inner, split, ok := intrinsic(At(argument, 1)); ok && inner == "Fn::Split" {
			return fmt.Sprintf("<part %v of %s at %q>", At(argument, 0), Say(At(split, 1)), Text(At(split, 0)))
		}
		return fmt.Sprintf("<part %v of %s>", At(argument, 0), Say(At(argument, 1)))
	case "Fn::If":
		yes, no := Say(At(argument, 1)), Say(At(argument, 2))
		switch {
		case no == "<none>":
			return yes + " (if " + Text(At(argument, 0)) + ")"
		case yes == "<none>":
			return no + " (unless " + Text(At(argument, 0)) + ")"
		}
		return yes + " (if " + Text(At(argument, 0)) + ", else " + no + ")"
	}
	return name + " " + Say(argument)
}

func reference(id string) string {
	switch id {
	case "AWS::NoValue":
		return "<none>"
	case "AWS::Partition":
		return "<partition>"
	case "AWS::Region":
		return "<region>"
	case "AWS::AccountId":
		return "<account>"
	case "AWS::StackName":
		return "<stack>"
	case "AWS::URLSuffix":
		return "<suffix>"
	case "AWS::StackId":
		return "<stack id>"
	}
	return Plain(id)
}

// short drops from an ARN what every ARN of the installation begins with.
func short(arn string) string {
	rest, ok := strings.CutPrefix(arn, "arn:<partition>:")
	if !ok {
		return arn
	}
	rest = strings.Replace(rest, ":<region>:<account>:", " ", 1)
	return strings.Replace(rest, "::<account>:", " ", 1)
}
