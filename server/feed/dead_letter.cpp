#include "server/feed/dead_letter.hpp"

#include "common/base/utf8_validator.hpp"
#include "common/protocol/line_writer.hpp"
#include "server/identity/base64url.hpp"

namespace pulsewire::shell::feed {

std::string dead_letter_of(const record& bad, std::string_view reason, std::string_view from) {
    std::string text;
    line_writer json(text);
    json.text("reason", reason).text("from", from).text("position", bad.position);
    if (bad.key) json.text("key", *bad.key);
    std::string headers;
    for (const auto& [name, value] : bad.headers) {
        headers += headers.empty() ? '{' : ',';
        for (const std::string* const part : {&name, &value}) {
            headers += '"';
            append_escaped(headers, *part);
            headers += part == &name ? "\":" : "\"";
        }
    }
    if (!headers.empty()) json.json("headers", headers + '}');
    if (is_utf8(bad.value))
        json.text("value", bad.value);
    else
        json.name("value_base64url", identity::to_base64url(bad.value));
    json.end();
    return text;
}

}  // namespace pulsewire::shell::feed
