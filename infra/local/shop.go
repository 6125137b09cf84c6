package main

import (
	_ "embed" // of the page
	"html/template"
	"net/http"
)

//go:embed shop.html
var shopHTML string

var shopPage = template.Must(template.New("shop").Parse(shopHTML))

// analytics stands for a script that counts visits, of somebody else's making.
const analytics = `window.counted = (window.counted || 0) + 1;
document.getElementById("visits").textContent += " …" + (document.documentElement.lang == "fr" ? " Si : elle l’est." : " Yes, it is.");
`

// shop serves a page of the sample company's website, on which the script for
// websites can be tried. Its content security policy is as strict as one can be.
func (p *product) shop(mux *http.ServeMux) {
	mux.HandleFunc("GET /local/shop", func(w http.ResponseWriter, r *http.Request) {
		lang := "en"
		if r.FormValue("lang") == "fr" {
			lang = "fr"
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		w.Header().Set("Cache-Control", "no-store")
		if err := shopPage.Execute(w, lang); err != nil {
			p.o.Log.ErrorContext(r.Context(), "the shop's page could not be rendered", "err", err)
		}
	})
	mux.HandleFunc("GET /local/shop/analytics.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write([]byte(analytics)) // the client went away
	})
}
