#include "server/config/config_file.hpp"

#include "common/access/pattern.hpp"
#include "common/protocol/names.hpp"
#include "server/config/message_types.hpp"
#include "server/config/nearest_name.hpp"
#include "server/config/settings.hpp"
#include "server/log.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <system_error>

namespace pulsewire::shell {
namespace {

using nlohmann::json;

// A fault in what is valid JSON.
struct mistake : std::runtime_error {
    mistake(const std::string& pointer, const std::string& what)
        : std::runtime_error("at " + pointer + ": " + what), key(pointer.substr(pointer.rfind('/') + 1)) {}
    std::string key;
};

[[noreturn]] void wrong(const std::string& pointer, const std::string& what) {
    throw mistake(pointer, what);
}

// "line 3, column 7" of the byte at that index.
std::string place_of(std::string_view text, std::size_t at) {
    const std::string_view before = text.substr(0, at);
    const std::size_t begin = before.rfind('\n');
    const auto lines = std::count(before.begin(), before.end(), '\n');
    return "line " + std::to_string(lines + 1) + ", column " +
           std::to_string(begin == std::string_view::npos ? before.size() + 1 : before.size() - begin);
}

std::vector<std::string> names_of(const std::vector<setting>& settings) {
    std::vector<std::string> names;
    for (const setting& s : settings) names.emplace_back(s.name);
    return names;
}

// A guess at what was meant by a key that is no setting here.
// `more` are the names that are known beside the settings.
std::string advice_about(
    const std::string& key, const std::vector<setting>& settings, bool of_namespace,
    const std::vector<std::string>& more
) {
    config any;
    const auto others = of_namespace ? settings_of(any) : settings_of(any.default_namespace);
    const bool is_other =
        std::any_of(others.begin(), others.end(), [&](const setting& s) { return s.name == key; });
    if (is_other && of_namespace) return "it is a setting of the whole server, at the top of the file";
    if (is_other || (!of_namespace && key == "types"))
        return "it belongs into \"default_namespace\", or into one of \"namespaces\"";
    auto known = names_of(settings);
    known.insert(known.end(), more.begin(), more.end());
    const std::string nearest = nearest_name(key, known);
    return nearest.empty() ? "" : "did you mean \"" + nearest + "\"?";
}

template <class Number>
void read_number(const json& value, const std::string& pointer, Number& into) {
    const std::string rule =
        "must be a whole number from 0 to " + std::to_string(std::numeric_limits<Number>::max());
    if (!value.is_number_unsigned()) wrong(pointer, rule);
    const auto number = value.get<std::uint64_t>();
    if (number > std::numeric_limits<Number>::max()) wrong(pointer, rule);
    into = static_cast<Number>(number);
}

struct reader {
    const json& value;
    const std::string& pointer;

    void operator()(std::uint16_t* n) const { read_number(value, pointer, *n); }
    void operator()(std::uint32_t* n) const { read_number(value, pointer, *n); }
    void operator()(std::uint64_t* n) const { read_number(value, pointer, *n); }
    void operator()(std::string* text) const {
        if (!value.is_string()) wrong(pointer, "must be a string");
        *text = value.get<std::string>();
    }
    void operator()(bool* flag) const {
        if (!value.is_boolean()) wrong(pointer, "must be true or false");
        *flag = value.get<bool>();
    }
    void operator()(std::vector<std::string>* list) const {
        const bool strings = value.is_array() && std::all_of(value.begin(), value.end(), [](const json& one) {
                                 return one.is_string();
                             });
        if (!strings) wrong(pointer, "must be an array of strings");
        *list = value.get<std::vector<std::string>>();
    }
    void operator()(const one_of_names& one) const {
        if (!value.is_string() || !one.set(value.get<std::string>())) wrong(pointer, one.rule());
    }
};

// Sets the settings that `object` names. `other` gets the keys that are no setting
// and returns whether it knows them.
template <class Other>
void read_object(
    const json& object, const std::string& at, const std::vector<setting>& settings,
    const std::vector<std::string>& more, Other&& other
) {
    if (!object.is_object()) wrong(at.empty() ? "/" : at, "must be an object");
    for (const auto& [key, value] : object.items()) {
        const std::string pointer = at + "/" + key;
        // By a capture of its own: clang before 16 captures no structured binding.
        const auto known = std::find_if(settings.begin(), settings.end(), [&name = key](const setting& s) {
            return s.name == name;
        });
        if (known != settings.end()) {
            std::visit(reader{value, pointer}, known->value);
        } else if (!other(key, value)) {
            const std::string advice = advice_about(key, settings, !at.empty(), more);
            wrong(
                pointer, "there is no setting of this name; " + advice +
                             (advice.empty()         ? ""
                              : advice.back() == '?' ? " "
                                                     : "; ") +
                             "docs/operating.md lists them"
            );
        }
    }
}

// ["subscribe", "publish"]
operations read_operations(const json& list, const std::string& pointer) {
    static const std::vector<std::string> names(std::begin(operation_names), std::end(operation_names));
    if (!list.is_array()) wrong(pointer, "must be a list of operations, for example [\"subscribe\"]");
    operations read;
    for (const json& one : list) {
        const auto known =
            one.is_string() ? operation_named(one.get_ref<const std::string&>()) : std::nullopt;
        if (known) {
            read |= *known;
            continue;
        }
        const std::string name = one.is_string() ? one.get<std::string>() : one.dump();
        const std::string nearest = nearest_name(name, names);
        std::string all;
        for (const std::string& other : names) all += (all.empty() ? "" : ", ") + other;
        wrong(
            pointer, "\"" + log::printable(name) + "\" is no operation; " +
                         (nearest.empty() ? "there are " + all : "did you mean \"" + nearest + "\"?")
        );
    }
    return read;
}

// {"users": ["subscribe"]}: who is not named may do nothing.
access_rules read_allow(const json& value, const std::string& pointer) {
    if (!value.is_object()) wrong(pointer, "must be an object with the members anonymous, users and owner");
    access_rules rules = access_rules::none();
    for (const auto& [who, list] : value.items()) {
        operations* const into = who == "anonymous" ? &rules.anonymous
                                 : who == "users"   ? &rules.users
                                 : who == "owner"   ? &rules.owner
                                                    : nullptr;
        if (into == nullptr) {
            const std::string nearest =
                nearest_name(who, std::vector<std::string>{"anonymous", "users", "owner"});
            wrong(
                pointer + "/" + who,
                nearest.empty() ? "is nobody that is known here; there are anonymous, users and owner"
                                : "did you mean \"" + nearest + "\"?"
            );
        }
        *into = read_operations(list, pointer + "/" + who);
    }
    return rules;
}

void read_namespace(
    const json& options, const std::string& pointer, const std::string& folder, namespace_options& into
) {
    const std::vector<std::string> more = {"allow", "types", "authorize"};
    read_object(options, pointer, settings_of(into), more, [&](const std::string& key, const json& value) {
        if (key == "allow") {
            into.allow = read_allow(value, pointer + "/allow");
            into.allow_is_set = true;
        } else if (key == "types") {
            auto types = read_types(value, folder);
            if (!types) wrong(pointer + "/types" + types.error().pointer, types.error().what);
            into.types = std::move(*types);
        } else if (key == "authorize") {
            into.authorize = read_operations(value, pointer + "/authorize");
        }
        return key == "allow" || key == "types" || key == "authorize";
    });
    if (!into.authorize_url.empty() && into.authorize.empty())
        into.authorize = operations(operation::subscribe) | operation::publish;
}

void read_issuers(const json& all, config& c) {
    if (!all.is_array()) wrong("/issuers", "must be a list of objects");
    c.issuers.clear();
    for (std::size_t i = 0; i < all.size(); ++i) {
        token_issuer& one = c.issuers.emplace_back();
        read_object(
            all[i], "/issuers/" + std::to_string(i), settings_of(one), {},
            [](const std::string&, const json&) { return false; }
        );
    }
}

// [{"name": "ci", "key": "…", "allow": {"news:**": ["publish"]}}]
void read_api_keys(const json& all, config& c) {
    if (!all.is_array()) wrong("/api_keys", "must be a list of objects");
    c.api_keys.clear();
    for (std::size_t i = 0; i < all.size(); ++i) {
        api_key_settings& one = c.api_keys.emplace_back();
        const std::string pointer = "/api_keys/" + std::to_string(i);
        read_object(
            all[i], pointer, {{"name", &one.name}, {"key", &one.key}}, {"allow"},
            [&](const std::string& key, const json& value) {
                if (key != "allow") return false;
                auto grants = access::grants::parse(value.dump());
                if (!grants) wrong(pointer + "/allow", log::printable(grants.error()));
                one.allow = std::move(*grants);
                return true;
            }
        );
    }
}

void read_consume(const json& all, config& c) {
    if (!all.is_array()) wrong("/consume", "must be a list of objects");
    c.consume.clear();
    for (std::size_t i = 0; i < all.size(); ++i) {
        consume_settings& one = c.consume.emplace_back();
        read_object(
            all[i], "/consume/" + std::to_string(i), settings_of(one), {},
            [](const std::string&, const json&) { return false; }
        );
    }
}

void read_forward(const json& all, config& c) {
    if (!all.is_array()) wrong("/forward", "must be a list of objects");
    c.forward.clear();
    for (std::size_t i = 0; i < all.size(); ++i) {
        forward_settings& one = c.forward.emplace_back();
        const std::string pointer = "/forward/" + std::to_string(i);
        read_object(all[i], pointer, settings_of(one), {}, [](const std::string&, const json&) {
            return false;
        });
        if (const std::string_view fault = access::fault_of_pattern(one.from); !fault.empty())
            wrong(pointer + "/from", std::string(fault).append(", for example \"orders:**\""));
        if (one.value != "payload" && one.value != "message")
            wrong(pointer + "/value", "must be \"payload\" or \"message\"");
    }
}

void read_namespaces(const json& all, const std::string& folder, config& c) {
    if (!all.is_object()) wrong("/namespaces", "must be an object");
    for (const auto& [name, options] : all.items()) {
        const std::string pointer = "/namespaces/" + name;
        if (!name.empty() && (!is_channel(name) || name.find(':') != std::string::npos))
            wrong(
                pointer, "is not the name of a namespace: the part of a channel's name before the first ':'"
            );
        namespace_options& into = c.namespaces.try_emplace(name, c.default_namespace).first->second;
        read_namespace(options, pointer, folder, into);
    }
}

}  // namespace

void apply_config(std::string_view text, config& c, const std::string& folder) {
    json root;
    try {
        root = json::parse(text, nullptr, true, true);
    } catch (const json::parse_error& e) {
        // The parser counts from 1, and stands behind the byte that it does not understand.
        const std::size_t at = e.byte == 0 ? 0 : e.byte - 1;
        throw std::runtime_error(
            "not valid JSON near byte " + std::to_string(e.byte) + " (" + place_of(text, at) + ")"
        );
    } catch (const json::out_of_range&) {
        // 1e999: valid JSON, which nlohmann_json refuses by an exception of another kind.
        throw std::runtime_error("a number in it is too large to be read");
    }
    // First, because every namespace starts from it.
    if (root.is_object() && root.contains("default_namespace"))
        read_namespace(root["default_namespace"], "/default_namespace", folder, c.default_namespace);
    const std::vector<std::string> more = {"namespaces", "default_namespace", "issuers",
                                           "api_keys",   "consume",           "forward"};
    read_object(root, "", settings_of(c), more, [&](const std::string& key, const json& value) {
        if (key == "namespaces") read_namespaces(value, folder, c);
        if (key == "issuers") read_issuers(value, c);
        if (key == "api_keys") read_api_keys(value, c);
        if (key == "consume") read_consume(value, c);
        if (key == "forward") read_forward(value, c);
        return key == "$schema" || std::find(more.begin(), more.end(), key) != more.end();
    });
}

void apply_config_file(const std::string& path, config& c) {
    const auto unreadable = [&](int error) {
        return std::runtime_error(
            "the config file " + path + " cannot be read: " + std::generic_category().message(error) +
            ". Is the path right, as seen from where the server was started?"
        );
    };
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) throw unreadable(EISDIR);
    std::ifstream file(path, std::ios::binary);
    if (!file) throw unreadable(errno);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    try {
        apply_config(text, c, std::filesystem::path(path).parent_path().string());
    } catch (const mistake& e) {
        // The parser keeps no places. A key that stands in the text once has its own.
        const std::string quoted = "\"" + e.key + "\"";
        const std::size_t at = text.find(quoted);
        const bool once = at != std::string::npos && text.find(quoted, at + 1) == std::string::npos;
        throw std::runtime_error(
            "config file " + path + ", " + e.what() + (once ? " (" + place_of(text, at) + ")" : "")
        );
    } catch (const std::runtime_error& e) {
        throw std::runtime_error("config file " + path + ", " + e.what());
    }
}

std::vector<std::string> keys_of_config_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const json root = json::parse(file, nullptr, false, true);
    std::vector<std::string> keys;
    for (const auto& [key, value] : root.items()) keys.push_back(key);
    return keys;
}

}  // namespace pulsewire::shell
