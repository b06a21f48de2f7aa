#include "server/endpoint/lost_page.hpp"

#include "common/base/base64.hpp"
#include "common/base/sha256.hpp"
#include "server/http/text.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pulsewire::shell {
namespace {

constexpr std::string_view style =
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:15vh auto 2rem;padding:0 1.25rem}"
    "h1{font-size:1.35rem;font-weight:600;margin:0 0 1rem}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:1.5rem 0}"
    "dd{margin:0}code{font-size:.95em}footer{margin-top:3rem;opacity:.7;font-size:.9rem}"
    "@media(max-width:30rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.75rem}}";

// Nothing but this style may take effect, whatever finds its way into the page.
const std::string& policy() {
    const auto hash = sha256(style);
    static const std::string text = "default-src 'none'; style-src 'sha256-" +
                                    to_base64({reinterpret_cast<const char*>(hash.data()), hash.size()}) +
                                    "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    return text;
}

// Of text that is ours or was checked at the start: no text of the request is in it.
std::string page(std::string_view base_path, bool has_pages) {
    const std::string base(base_path);
    const auto path = [&base](std::string_view at, std::string_view what) {
        return "<dt><code>" + base + std::string(at) + "</code></dt><dd>" + std::string(what) + "</dd>\n";
    };
    std::string html =
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>Nothing here · Pulsewire</title>\n<style>" +
        std::string(style) +
        "</style>\n<main>\n<h1>There is no page at this address</h1>\n"
        "<p>This is a Pulsewire server. It carries messages between programs, browsers and devices in real "
        "time";
    html += has_pages ? ". Its pages begin at <a href=\"" + base + "/\"><code>" + base + "/</code></a>.</p>\n"
                      : ", and has no pages of its own. These paths are for programs:</p>\n<dl>\n" +
                            path("/ws", "WebSocket") + path("/sse", "event stream of the SDK") +
                            path("/events?channel=…", "a channel for EventSource and curl") +
                            path("/api/channels/…", "publish, history and presence by HTTP") +
                            path("/healthz", "whether the server serves") + "</dl>\n";
    html +=
        "<footer>Each of them is described in <code>docs/</code>, beside the server's "
        "source.</footer>\n</main>\n";
    if (has_pages) html.replace(html.find("Each of them is"), 15, "The server is");
    return html;
}

std::string_view lone_field(const request& r, std::string_view name) {
    return r.count(name) == 1 ? r.field(name) : std::string_view();
}

}  // namespace

bool is_navigation(const request& r) {
    if (r.verb != method::get && r.verb != method::head) return false;
    // Browsers of today say it; older ones are known by what they accept alone.
    const std::string_view mode = lone_field(r, "Sec-Fetch-Mode");
    if (!mode.empty() && mode != "navigate") return false;
    return std::any_of(r.fields.begin(), r.fields.end(), [](const auto& f) {
        return same_ignoring_case(f.first, "Accept") && list_has(f.second, "text/html");
    });
}

void show_to_person(const request& r, std::string_view base_path, bool has_pages, response& answer) {
    if (answer.status != 404) return;
    // A cache must not give the one for the other.
    answer.add("Vary", "Accept, Sec-Fetch-Mode");
    if (!is_navigation(r)) return;
    answer.content_type = "text/html; charset=utf-8";
    answer.body = page(base_path, has_pages);
    answer.add("Content-Security-Policy", policy());
    answer.add("Referrer-Policy", "no-referrer");
}

}  // namespace pulsewire::shell
