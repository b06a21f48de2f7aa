#include "server/forward/name_template.hpp"

#include "common/protocol/names.hpp"
#include "server/log.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::shell::forward {
namespace {

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool may_be_in(alphabet of, char c) {
    if (of == alphabet::topic) return is_word(c) || c == '.';
    if (of == alphabet::subject)
        return static_cast<unsigned char>(c) > ' ' && c != '*' && c != '>' && c != '\x7f';
    return true;
}

}  // namespace

result<name_template, std::string> name_template::read(std::string_view text) {
    static constexpr std::pair<std::string_view, kind> holes[] = {
        {"channel", kind::channel},
        {"namespace", kind::name_space},
        {"type", kind::type},
        {"user", kind::user}};
    name_template made;
    while (!text.empty()) {
        const std::size_t open = std::min(text.find('{'), text.size());
        if (text.substr(0, open).find('}') != text.npos)
            return failure(std::string("has a '}' without its '{'"));
        if (open != 0) made.pieces_.push_back({kind::text, std::string(text.substr(0, open))});
        text.remove_prefix(open);
        if (text.empty()) break;
        const std::size_t close = text.find('}');
        if (close == text.npos) return failure(std::string("has a '{' without its '}'"));
        const std::string_view hole = text.substr(1, close - 1);
        const auto* const found = std::find_if(std::begin(holes), std::end(holes), [&](const auto& each) {
            return each.first == hole;
        });
        if (found == std::end(holes))
            return failure(
                "has {" + log::printable(hole) +
                "}, which is none of {channel}, {namespace}, {type} and {user}"
            );
        made.pieces_.push_back({found->second, {}});
        text.remove_prefix(close + 1);
    }
    return made;
}

bool name_template::has_holes() const {
    return std::any_of(pieces_.begin(), pieces_.end(), [](const piece& one) {
        return one.what != kind::text;
    });
}

std::string name_template::fill(const publication& from, alphabet of) const {
    std::string made;
    const auto add = [&](std::string_view value) {
        // No part of a name is nothing.
        if (value.empty()) value = "-";
        for (const char c : value) made += may_be_in(of, c) ? c : '-';
    };
    for (const piece& one : pieces_) {
        switch (one.what) {
            case kind::text:
                made += one.text;
                break;
            case kind::channel:
                add(from.channel);
                break;
            case kind::name_space:
                add(namespace_of(from.channel));
                break;
            case kind::type:
                add(from.type);
                break;
            case kind::user:
                add(from.user);
                break;
        }
    }
    if (of != alphabet::subject) return made;
    // A token is not empty.
    for (std::size_t i = 0; i < made.size(); ++i)
        if (made[i] == '.' && (i == 0 || i + 1 == made.size() || made[i - 1] == '.')) made[i] = '-';
    return made;
}

}  // namespace pulsewire::shell::forward
