#include "common/message/typescript.hpp"

#include <utility>

namespace pulsewire {

namespace {

constexpr std::string_view header =
    "// Generated from the C++ message declarations. Do not edit: change the C++ struct and generate "
    "again.\n";

constexpr std::string_view header_with_schemas =
    "// Generated from schemas and C++ message declarations. Do not edit: change the schema or the C++ "
    "struct and "
    "generate again.\n";

constexpr std::string_view sixty_four_bits =
    "/** Holds 64-bit integers: JavaScript keeps them exact only up to 2^53. */\n";

// The names that a declaration must not have: the two maps of this module, and the
// type that it uses from the language.
constexpr std::array<std::string_view, 3> taken_names = {"Messages", "Requests", "Record"};

std::string map_text(std::string_view name, const std::map<std::string, std::string>& entries) {
    std::string text = "export interface " + std::string(name) + " {\n";
    // Message names need no escape (message_name.hpp).
    for (const auto& [key, type] : entries) text += "  \"" + key + "\": " + type + ";\n";
    return text + "}\n";
}

}  // namespace

std::string typescript_error::message() const {
    std::string text;
    for (const auto& conflict : conflicts) {
        if (!text.empty()) text += '\n';
        text += conflict;
    }
    return text;
}

result<std::string, typescript_error> typescript_writer::str() const {
    if (!conflicts_.empty()) return failure{typescript_error{conflicts_}};
    std::string module(has_schemas_ ? header_with_schemas : header);
    for (const auto& [name, text] : declarations_) module += '\n' + text;
    module += '\n' + map_text("Messages", messages_);
    module += '\n' + map_text("Requests", requests_);
    return module;
}

typescript_writer& typescript_writer::message(
    std::string_view name, const std::string& type,
    const std::vector<std::pair<std::string, std::string>>& declarations
) {
    has_schemas_ = true;
    for (const auto& [declared, text] : declarations)
        add_declaration(declared, "The schema of " + std::string(name), text);
    add_entry(messages_, "message", name, type);
    return *this;
}

typescript_writer& typescript_writer::bytes(std::string_view name) {
    add_entry(messages_, "message", name, "Uint8Array");
    return *this;
}

// The beginning of the sentences about its conflicts.
std::string typescript_writer::subject_of(std::string_view type_name) {
    return "The C++ type " + std::string(type_name);
}

// PascalCase of the name after the last "::".
std::string typescript_writer::interface_name(std::string_view type_name) {
    if (auto colons = type_name.rfind(':'); colons != std::string_view::npos)
        type_name.remove_prefix(colons + 1);
    std::string name;
    bool upper = true;
    for (char c : type_name) {
        if (c == '_') {
            upper = true;
            continue;
        }
        bool lower_case = c >= 'a' && c <= 'z';
        name += upper && lower_case ? static_cast<char>(c - 'a' + 'A') : c;
        upper = false;
    }
    return name;
}

std::string typescript_writer::interface_text(const std::string& name, const std::vector<field>& fields) {
    // An empty interface would accept every value, 42 included.
    if (fields.empty()) return alias_text(name, {"Record<string, never>", false, false});
    std::string text = "export interface " + name + " {\n";
    for (const auto& field : fields) {
        if (field.type.holds_64_bit_integers) text += "  " + std::string(sixty_four_bits);
        text += "  " + std::string(field.name) + (field.optional ? "?: " : ": ") + field.type.text + ";\n";
    }
    return text + "}\n";
}

std::string typescript_writer::alias_text(const std::string& name, const typescript_type& type) {
    std::string comment(type.holds_64_bit_integers ? sixty_four_bits : "");
    return comment + "export type " + name + " = " + type.text + ";\n";
}

typescript_type typescript_writer::nullable(typescript_type type) {
    if (type.text == "unknown") return type;  // includes null
    type.text += " | null";
    type.is_union = true;
    return type;
}

typescript_type typescript_writer::array_of(const typescript_type& element) {
    std::string text = element.is_union ? "(" + element.text + ")[]" : element.text + "[]";
    return {text, element.holds_64_bit_integers, false};
}

typescript_type typescript_writer::tuple_of(const typescript_type& element, std::size_t count) {
    typescript_type tuple{"[" + element.text, element.holds_64_bit_integers, false};
    for (std::size_t index = 1; index < count; ++index) tuple.text += ", " + element.text;
    tuple.text += "]";
    return tuple;
}

typescript_type typescript_writer::record_of(const typescript_type& value) {
    return {"Record<string, " + value.text + ">", value.holds_64_bit_integers, false};
}

void typescript_writer::add_declaration(
    const std::string& name, const std::string& subject, const std::string& text
) {
    for (auto taken : taken_names) {
        if (name == taken) {
            conflicts_.push_back(
                subject + " would become " + name +
                ", which the generated module needs itself: rename the type."
            );
            return;
        }
    }
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) {
        conflicts_.push_back(subject + " has no TypeScript name (it would be \"" + name + "\"): rename it.");
        return;
    }
    auto [declaration, added] = declarations_.try_emplace(name, text);
    if (!added && declaration->second != text) {
        conflicts_.push_back(
            (has_schemas_ ? std::string("Two types") : std::string("Two C++ types")) +
            " become the TypeScript type " + name + " but differ: rename one of them or make them one.\n" +
            declaration->second + text
        );
    }
}

void typescript_writer::add_entry(
    std::map<std::string, std::string>& entries, std::string_view kind, std::string_view name,
    const std::string& text
) {
    auto [entry, added] = entries.try_emplace(std::string(name), text);
    if (!added && entry->second != text) {
        conflicts_.push_back(
            "The " + std::string(kind) + " \"" + std::string(name) + "\" is declared twice, as " +
            entry->second + " and as " + text + ": give one of them another name."
        );
    }
}

}  // namespace pulsewire
