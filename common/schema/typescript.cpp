#include "common/schema/typescript.hpp"

#include "common/protocol/names.hpp"
#include "common/schema/number.hpp"
#include "common/schema/reference.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>

namespace pulsewire::schema {
namespace {

constexpr std::uint64_t tuple_elements_max = 8;

struct expression {
    std::string text;
    bool is_union = false;  // needs parentheses before []
};

const value* find(const value& object, std::string_view name) {
    for (const value::member& one : object.members)
        if (one.name == name) return &one.content;
    return nullptr;
}

// "ChatMessage" for "chat.message".
std::string pascal_case(std::string_view name) {
    std::string text;
    bool upper = true;
    for (const char c : name) {
        if (is_letter_or_digit(c))
            text += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        upper = !is_letter_or_digit(c);
    }
    return text;
}

// As it stands before the colon of a member.
std::string member_name(std::string_view name) {
    const auto plain = [](char c) { return is_letter_or_digit(c) || c == '_' || c == '$'; };
    if (!name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), plain))
        return std::string(name);
    std::string quoted;
    append_string(quoted, name);
    return quoted;
}

class printer {
public:
    printer(std::string_view message_type, const value& root) : root_(root) {
        made_.type = pascal_case(message_type);
        if (made_.type.empty() || (made_.type[0] >= '0' && made_.type[0] <= '9'))
            made_.type.insert(0, "Type");
        declare(made_.type, root);
    }

    typescript&& take() { return std::move(made_); }

private:
    void declare(const std::string& name, const value& v) {
        names_.emplace(&v, name);
        const std::size_t place = made_.declarations.size();
        made_.declarations.emplace_back(name, "");
        std::string text;
        if (is_interface(v)) {
            text = "export interface " + name + " {\n";
            for (const std::string& one : members(v)) text += "  " + one + ";\n";
            text += "}\n";
        } else {
            text = "export type " + name + " = " + type_of(v).text + ";\n";
        }
        made_.declarations[place].second = std::move(text);
    }

    static bool is_interface(const value& v) {
        const value* type = find(v, "type");
        return type != nullptr && type->text == "object" && !properties_of(v).empty() &&
               find(v, "enum") == nullptr && find(v, "const") == nullptr;
    }

    // The name of what is referred to, which is declared when it is first met.
    std::string referred(std::string_view reference) {
        const std::string pointer = *pointer_of(reference);
        std::string_view rest = pointer;
        const value* at = &root_;
        std::string last;
        while (!rest.empty()) {
            last = take_token(rest);
            at = find(*at, last);
        }
        if (const auto known = names_.find(at); known != names_.end()) return known->second;
        const std::string wanted = made_.type + pascal_case(last);
        std::string name = wanted;
        const auto is_taken = [&](const auto& one) { return one.first == name; };
        for (int number = 2; std::any_of(made_.declarations.begin(), made_.declarations.end(), is_taken);
             ++number)
            name = wanted + std::to_string(number);
        declare(name, *at);
        return name;
    }

    expression type_of(const value& v) {
        if (v.is == kind::boolean) return {v.truth ? "unknown" : "never"};
        if (const value* reference = find(v, "$ref")) return {referred(reference->text)};
        if (const value* one = find(v, "const")) return {literal(*one)};
        std::vector<std::string> parts;
        bool is_union = false;
        if (const value* all = find(v, "enum")) {
            for (const value& one : all->elements) add(parts, literal(one));
        } else if (const value* type = find(v, "type")) {
            if (type->is == kind::string) return type_named(type->text, v);
            for (const value& one : type->elements) add(parts, type_named(one.text, v).text);
        } else {
            return {"unknown"};
        }
        is_union = parts.size() > 1;
        return {joined(parts, " | "), is_union};
    }

    static void add(std::vector<std::string>& parts, std::string text) {
        if (std::find(parts.begin(), parts.end(), text) == parts.end()) parts.push_back(std::move(text));
    }

    static std::string joined(const std::vector<std::string>& parts, std::string_view between) {
        std::string text;
        for (const std::string& one : parts) {
            if (!text.empty()) text += between;
            text += one;
        }
        return text;
    }

    // The JSON of a value is also its type.
    static std::string literal(const value& v) {
        std::string text;
        append_value(text, v);
        return text;
    }

    expression type_named(std::string_view name, const value& v) {
        if (name == "integer") return {"number"};
        if (name == "array") return array(v);
        if (name == "object") return object(v);
        return {std::string(name)};
    }

    expression array(const value& v) {
        const value* items = find(v, "items");
        const expression element = items == nullptr ? expression{"unknown"} : type_of(*items);
        if (const auto count = exact_count(v)) {
            return {
                "[" + joined(std::vector<std::string>(static_cast<std::size_t>(*count), element.text), ", ") +
                "]"};
        }
        return {element.is_union ? "(" + element.text + ")[]" : element.text + "[]"};
    }

    static std::optional<std::uint64_t> exact_count(const value& v) {
        const value *min = find(v, "minItems"), *max = find(v, "maxItems");
        if (min == nullptr || max == nullptr || compare_numbers(min->text, max->text) != 0)
            return std::nullopt;
        const auto count = size_of_number(min->text);
        return *count <= tuple_elements_max ? count : std::nullopt;
    }

    struct property {
        std::string_view name;
        const value* content;
        bool required;
    };

    // Those of "properties", and then those that only "required" names.
    static std::vector<property> properties_of(const value& v) {
        std::vector<property> all;
        if (const value* properties = find(v, "properties"))
            for (const value::member& one : properties->members)
                all.push_back({one.name, &one.content, false});
        if (const value* required = find(v, "required"))
            for (const value& one : required->elements) {
                const auto named = std::find_if(all.begin(), all.end(), [&](const property& p) {
                    return p.name == one.text;
                });
                if (named == all.end()) {
                    all.push_back({one.text, find(v, "additionalProperties"), true});
                } else {
                    named->required = true;
                }
            }
        return all;
    }

    // Each without its semicolon.
    std::vector<std::string> members(const value& v) {
        std::vector<std::string> texts;
        for (const property& one : properties_of(v)) {
            const std::string type = one.content == nullptr ? "unknown" : type_of(*one.content).text;
            texts.push_back(member_name(one.name) + (one.required ? ": " : "?: ") + type);
        }
        // Such a member may have any name, so its type would have to fit the named ones too.
        const value* others = find(v, "additionalProperties");
        if (others != nullptr && others->is == kind::object) texts.emplace_back("[name: string]: unknown");
        return texts;
    }

    expression object(const value& v) {
        if (!properties_of(v).empty()) return {"{ " + joined(members(v), "; ") + " }"};
        const value* others = find(v, "additionalProperties");
        if (others == nullptr) return {"Record<string, unknown>"};
        return {"Record<string, " + type_of(*others).text + ">"};
    }

    const value& root_;
    std::map<const value*, std::string> names_;
    typescript made_;
};

}  // namespace

typescript typescript_of(std::string_view message_type, const value& schema) {
    return printer(message_type, schema).take();
}

}  // namespace pulsewire::schema
