#include <fmt/format.h>

#include "report/page/numbers.h"
#include "report/page/parts.h"
#include "report/page/words.h"

namespace fovea::report::page {
namespace {

Html fact(std::string_view name, const Html& value) {
  return html("<div><dt>{}</dt><dd>{}</dd></div>\n", {name, value});
}

}  // namespace

Html data_part(const Node& report) {
  const Node data = report.at("data");
  Html facts = fact("Name", html("<bdi>{}</bdi>", {data.text("name")}));
  facts += fact("Origin", html("{}", {data.flag("external") ? "other data than the model's own"
                                                            : "the model's own data"}));
  facts += fact("Split", html("<bdi>{}</bdi>", {report.text("split")}));
  facts += fact("Cases", html("{}", {count_text(data.count("cases"))}));
  facts += fact("Patients", patients_of(data));
  facts += fact("Fingerprint", html("<code>{}</code> <span class=\"small\">SHA-256 of the sorted "
                                    "ids, labels and hashes of files</span>",
                                    {data.text("fingerprint")}));
  Html notes;
  for (const Node& note : data.items("notes")) notes += html("<li>{}</li>\n", {note.text()});
  return html(R"(<section id="data">
<h2>Data</h2>
<dl class="table">{}</dl>
{}</section>
)",
              {facts, notes.empty() ? Html()
                                    : html("<h3>How they were read</h3>\n<ul>{}</ul>\n", {notes})});
}

Html card(const Node& report) {
  const auto items = report.items("card");
  if (items.empty()) return {};
  Html parts;
  std::string section;
  bool open = false;
  for (const Node& item : items) {
    if (!open || item.text("section") != section) {
      if (open) parts += html("</dl>\n");
      section = item.text("section");
      parts += html("<h3>{}</h3>\n<dl class=\"table\">", {section});
      open = true;
    }
    parts += fact(item.text("item"),
                  item.has("text") ? html("<span class=\"verbatim\">{}</span>", {item.text("text")})
                                   : html("<span class=\"none\">not stated</span>"));
  }
  return html(R"(<section id="card">
<h2>Model card</h2>
<p>In the order of the checklists that journals ask for. What nobody stated is marked so; nothing here was guessed.</p>
{}</dl>
</section>
)",
              {parts});
}

Html making(const Node& report) {
  const Node model = report.at("model");
  Html facts =
      fact("Intervals",
           html("{}", {fmt::format("{:g} %", 100 * report.number("level").value_or(0.95))}));
  facts += fact("Bootstrap",
                html("{}, seed {}", {counted(report.count("replicates"), "replicate", "replicates"),
                                     report.count("seed")}));
  facts += fact("Program", html("fovea {}", {report.text("fovea")}));
  facts += fact("Written", html("{}", {date_of(report.text("created"))}));
  facts += fact("Model", html("<bdi>{}</bdi>", {model.text("name")}));
  facts += fact("Weights", model.has("weights_sha256")
                               ? html("<code>{}</code> <span class=\"small\">SHA-256</span>",
                                      {model.text("weights_sha256")})
                               : html("<span class=\"none\">not known</span>"));
  for (const Node& pair : model.items("facts")) {
    const auto both = pair.items();
    if (both.size() != 2) throw pair.wrong("wanted a name and a value");
    facts += fact(both[0].text(), html("<span class=\"verbatim\">{}</span>", {both[1].text()}));
  }
  Html lines;
  for (const Node& target : report.items("targets"))
    lines += html("<code>{}</code>", {target.text("line")});
  return html(R"(<section id="making">
<h2>How the numbers were made</h2>
<p>Every interval stands beside the method it was made by. Where patients have several cases, intervals are by patient. report.json beside this page has all numbers with all their digits.</p>
<dl class="table">{}</dl>
<h3>As printed</h3>
{}</section>
)",
              {facts, scrolling("What the evaluation printed", html("<pre>{}</pre>", {lines}))});
}

}  // namespace fovea::report::page
