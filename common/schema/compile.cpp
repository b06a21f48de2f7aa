#include "common/base/json_pointer.hpp"
#include "common/schema/checker.hpp"
#include "common/schema/number.hpp"
#include "common/schema/reference.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

namespace pulsewire::schema {
namespace {

// Choices in error texts, and bounds as the schema writes them, are cut after so many bytes.
constexpr std::size_t shown_bytes_max = 200;

constexpr std::string_view dialects[] = {
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
};

// These are for people and tools and demand nothing of a payload.
constexpr std::string_view annotations[] = {"title",    "description", "$comment",
                                            "examples", "default",     "deprecated"};

template <class List>
bool has(const List& list, std::string_view one) {
    return std::find(std::begin(list), std::end(list), one) != std::end(list);
}

const value* member_of(const value& object, std::string_view name) {
    for (const value::member& one : object.members)
        if (one.name == name) return &one.content;
    return nullptr;
}

void cut(std::string& text) {
    if (text.size() <= shown_bytes_max) return;
    std::size_t end = shown_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
    text += "...";
}

class compiler {
public:
    explicit compiler(const value& root) : root_(root) {
        nodes_.resize(2);
        nodes_[nothing].kinds = 0;
        nodes_[nothing].expected = "nothing";
    }

    // The index of the root, or nothing after an error.
    std::optional<node_index> compile() {
        const auto first = schema(root_);
        if (!first || !link()) return std::nullopt;
        return end_of(*first);
    }

    std::vector<node>& nodes() { return nodes_; }
    fault& error() { return fault_; }

private:
    using index = std::optional<node_index>;
    struct reference {
        node_index from;
        const value* to;
    };

    bool wrong(std::string what) {
        fault_ = {path_, std::move(what)};
        return false;
    }

    // Calls `inner` with the path extended by a key, and leaves the path as it was.
    template <class Inner>
    auto inside(std::string_view key, Inner&& inner) {
        const std::size_t before = path_.size();
        append_pointer_token(path_, key);
        auto outcome = inner();
        path_.resize(before);
        return outcome;
    }

    index schema(const value& v) {
        if (v.is == kind::boolean) return known_at_[&v] = v.truth ? anything : nothing;
        if (v.is != kind::object) {
            wrong("a schema is an object, true or false, and this is " + std::string(name_of(v.is)));
            return std::nullopt;
        }
        const auto made = static_cast<node_index>(nodes_.size());
        nodes_.emplace_back();
        known_at_[&v] = made;
        node n;
        for (const value::member& one : v.members)
            if (!inside(one.name, [&] { return keyword(n, made, v, one.name, one.content); }))
                return std::nullopt;
        if (!finish(n, v)) return std::nullopt;
        nodes_[made] = std::move(n);
        return made;
    }

    bool keyword(node& n, node_index made, const value& whole, std::string_view name, const value& v) {
        if (has(annotations, name)) return true;
        if (name == "$schema") return dialect(v);
        if (name == "$id") return identifier(v);
        if (name == "$ref") return refer(n, made, whole, v);
        if (name == "$defs" || name == "definitions") return definitions(v);
        if (name == "type") return types(n, v);
        if (name == "properties") return properties(n, v);
        if (name == "required") return required(n, v);
        if (name == "additionalProperties") return subschema(n.other_members, v);
        if (name == "items") return items(n, v);
        if (name == "enum") return choices(n, v);
        if (name == "const") return n.choices.push_back(v), true;
        if (name == "minimum") return bound(n.min, v, {}, -1);
        if (name == "exclusiveMinimum") return bound(n.min, v, {"", true}, -1);
        if (name == "maximum") return bound(n.max, v, {}, 1);
        if (name == "exclusiveMaximum") return bound(n.max, v, {"", true}, 1);
        if (name == "minLength") return size(n.characters.min, v);
        if (name == "maxLength") return size(n.characters.max, v);
        if (name == "minItems") return size(n.element_count.min, v);
        if (name == "maxItems") return size(n.element_count.max, v);
        if (name == "minProperties") return size(n.member_count.min, v);
        if (name == "maxProperties") return size(n.member_count.max, v);
        return wrong(
            "this keyword is not among those that are checked here, so payloads would pass unchecked; remove "
            "it, or check it in a handler (docs/schemas.md lists the keywords)"
        );
    }

    bool at_root() const { return path_.rfind('/') == 0; }

    bool dialect(const value& v) {
        std::string_view name = v.text;
        if (!name.empty() && name.back() == '#') name.remove_suffix(1);
        if (!at_root()) return wrong("stands at the top of a schema alone; remove it here");
        if (v.is != kind::string || !has(dialects, name))
            return wrong(
                "must name draft 6, 7, 2019-09 or 2020-12 of JSON Schema; without it 2020-12 is meant"
            );
        return true;
    }

    // An inner one would move the place from which references count.
    bool identifier(const value& v) {
        if (!at_root()) return wrong("stands at the top of a schema alone; remove it here");
        return v.is == kind::string || wrong("must be a string");
    }

    // Draft 7 ignores what stands beside a reference, later drafts check it.
    bool refer(node& n, node_index made, const value& whole, const value& v) {
        if (v.is != kind::string) return wrong("must be a string");
        static constexpr std::string_view allowed[] = {"$ref", "$schema", "$id", "$defs", "definitions"};
        for (const value::member& one : whole.members)
            if (!has(allowed, one.name) && !has(annotations, one.name))
                return wrong(
                    "has \"" + one.name +
                    "\" beside it, which drafts of JSON Schema read differently; move it into the "
                    "schema that is referred to"
                );
        references_.push_back({made, &v});
        n.refers_to = anything;  // link() finds the true one
        return true;
    }

    bool definitions(const value& v) {
        return each_member(v, [&](const value::member& one) { return schema(one.content).has_value(); });
    }

    bool types(node& n, const value& v) {
        std::vector<std::string_view> names;
        if (v.is == kind::string) names.push_back(v.text);
        if (v.is == kind::array)
            for (const value& one : v.elements) {
                if (one.is != kind::string) return wrong("must be the name of a type, or a list of names");
                names.push_back(one.text);
            }
        if (names.empty()) return wrong("must be the name of a type, or a list of names");
        n.kinds = 0;
        n.whole = !has(names, "number");
        n.expected.clear();
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (!add_type(n, names[i]))
                return wrong("must be null, boolean, integer, number, string, array or object");
            n.expected += i == 0 ? "" : i + 1 == names.size() ? " or " : ", ";
            n.expected += names[i];
        }
        return true;
    }

    static bool add_type(node& n, std::string_view name) {
        if (name == "integer") {
            n.kinds |= bit_of(kind::number);
            return true;
        }
        for (std::size_t i = 0; i <= static_cast<std::size_t>(kind::object); ++i) {
            const auto k = static_cast<kind>(i);
            if (name != name_of(k)) continue;
            n.kinds |= bit_of(k);
            return true;
        }
        return false;
    }

    bool properties(node& n, const value& v) {
        return each_member(v, [&](const value::member& one) {
            const auto content = schema(one.content);
            if (content) n.members.push_back({one.name, *content, false});
            return content.has_value();
        });
    }

    // Taken up by finish(), when all properties are known.
    bool required(node&, const value& v) {
        const bool strings =
            v.is == kind::array && std::all_of(v.elements.begin(), v.elements.end(), [](auto& one) {
                return one.is == kind::string;
            });
        return strings || wrong("must be a list of names");
    }

    bool items(node& n, const value& v) {
        if (v.is == kind::array)
            return wrong(
                "must be one schema for all elements; a list with a schema for each place is not checked here"
            );
        return subschema(n.elements, v);
    }

    bool choices(node& n, const value& v) {
        if (v.is != kind::array || v.elements.empty()) return wrong("must be a list of at least one value");
        n.choices.insert(n.choices.end(), v.elements.begin(), v.elements.end());
        return true;
    }

    // Of two bounds the one that lets fewer numbers through stays. `side` is -1 below and 1 above.
    bool bound(std::optional<number_bound>& into, const value& v, number_bound made, int side) {
        if (v.is != kind::number) return wrong("must be a number");
        made.number = v.text;
        const int order = into ? compare_numbers(made.number, into->number) * side : -1;
        if (order < 0 || (order == 0 && made.exclusive)) into = std::move(made);
        return true;
    }

    bool size(std::uint64_t& into, const value& v) {
        const auto number = v.is == kind::number ? size_of_number(v.text) : std::nullopt;
        if (!number) return wrong("must be a whole number from 0");
        into = *number;
        return true;
    }

    bool subschema(node_index& into, const value& v) {
        const auto made = schema(v);
        if (made) into = *made;
        return made.has_value();
    }

    template <class Each>
    bool each_member(const value& v, Each&& each) {
        if (v.is != kind::object) return wrong("must be an object with a schema for each name");
        return std::all_of(v.members.begin(), v.members.end(), [&](const value::member& one) {
            return inside(one.name, [&] { return each(one); });
        });
    }

    bool finish(node& n, const value& v) {
        sort_members(n);
        if (const value* names = member_of(v, "required")) require(n, *names);
        if (member_of(v, "enum") != nullptr && member_of(v, "const") != nullptr)
            return wrong("has both \"enum\" and \"const\"; keep one of them");
        if (!n.choices.empty()) {
            n.expected = member_of(v, "enum") != nullptr ? "one of " : "";
            for (const value& one : n.choices) {
                if (&one != &n.choices.front()) n.expected += ", ";
                if (n.expected.size() <= shown_bytes_max) append_value(n.expected, one);
            }
            cut(n.expected);
        } else if (n.kinds == bit_of(kind::array) && n.element_count.min == n.element_count.max) {
            n.expected = "array of " + std::to_string(n.element_count.min);
        }
        return true;
    }

    static void sort_members(node& n) {
        n.by_name.resize(n.members.size());
        for (std::uint32_t i = 0; i < n.by_name.size(); ++i) n.by_name[i] = i;
        std::sort(n.by_name.begin(), n.by_name.end(), [&](auto a, auto b) {
            return n.members[a].name < n.members[b].name;
        });
    }

    // A name that "properties" does not have is required too, and then what "additionalProperties" says holds
    // for it.
    static void require(node& n, const value& names) {
        std::unordered_map<std::string_view, std::size_t> declared;
        for (std::size_t i = 0; i < n.members.size(); ++i) declared.emplace(n.members[i].name, i);
        std::vector<member_rule> others;
        for (const value& one : names.elements) {
            const auto [at, is_new] = declared.emplace(one.text, n.members.size() + others.size());
            if (is_new) {
                others.push_back({one.text, n.other_members, true});
            } else if (at->second < n.members.size()) {
                n.members[at->second].required = true;
            }
        }
        for (member_rule& one : others) n.members.push_back(std::move(one));
        sort_members(n);
    }

    // --- references ---

    // Paths are not kept for each reference, because one long name above many of them would multiply.
    bool wrong_at(const value& where, std::string what) {
        path_.clear();
        find(root_, where);
        return wrong(std::move(what));
    }

    // Leaves the path at `where`, which is below `from`.
    bool find(const value& from, const value& where) {
        if (&from == &where) return true;
        for (const value::member& one : from.members) {
            const std::size_t before = path_.size();
            append_pointer_token(path_, one.name);
            if (find(one.content, where)) return true;
            path_.resize(before);
        }
        return false;
    }

    bool link() {
        for (const reference& one : references_)
            if (!resolve(one))
                return wrong_at(
                    *one.to,
                    "must be \"#\" or the place of a schema in this file, such as \"#/$defs/name\"; there is "
                    "no "
                    "schema at this one"
                );
        std::vector<node_index> passed(nodes_.size());
        for (const reference& one : references_)
            if (!ends(one.from, passed))
                return wrong_at(*one.to, "leads back to itself, so that it says nothing");
        // A check then meets no reference at all.
        for (node& n : nodes_) {
            n.other_members = end_of(n.other_members);
            n.elements = end_of(n.elements);
            for (member_rule& m : n.members) m.content = end_of(m.content);
        }
        return true;
    }

    bool resolve(const reference& one) {
        const auto pointer = pointer_of(one.to->text);
        const value* target = pointer ? value_at(*pointer) : nullptr;
        const auto known = known_at_.find(target);
        if (known == known_at_.end()) return false;
        nodes_[one.from].refers_to = known->second;
        return true;
    }

    // Whether the way from a reference ends. A node that an earlier way has passed leads to its end; one that
    // this way has passed closes a circle.
    bool ends(node_index at, std::vector<node_index>& passed) const {
        const node_index start = at;
        while (nodes_[at].refers_to) {
            if (passed[at] == start) return false;
            if (passed[at] != 0) return true;
            passed[at] = start;
            at = *nodes_[at].refers_to;
        }
        return true;
    }

    // Shortens the way for those that come later.
    node_index end_of(node_index at) {
        node_index end = at;
        while (nodes_[end].refers_to) end = *nodes_[end].refers_to;
        while (nodes_[at].refers_to) at = *std::exchange(nodes_[at].refers_to, end);
        return end;
    }

    // Places that hold schemas are found among objects alone, since "items" is one schema here and no list.
    const value* value_at(std::string_view pointer) {
        const value* at = &root_;
        while (at != nullptr && !pointer.empty()) {
            if (pointer.front() != '/') return nullptr;
            auto& members = by_name_[at];
            if (members.empty())
                for (const value::member& one : at->members) members.emplace(one.name, &one.content);
            const auto found = members.find(take_token(pointer));
            at = found == members.end() ? nullptr : found->second;
        }
        return at;
    }

    const value& root_;
    std::vector<node> nodes_;
    std::unordered_map<const value*, node_index> known_at_;
    std::vector<reference> references_;
    // The members of those objects through which references lead.
    std::unordered_map<const value*, std::unordered_map<std::string_view, const value*>> by_name_;
    std::string path_;
    fault fault_;
};

}  // namespace

std::string fault::message() const {
    return pointer.empty() ? what : "at " + pointer + ": " + what;
}

result<checker, fault> checker::compile(std::string_view schema) {
    if (schema.size() > schema_bytes_max)
        return failure{fault{"", "a schema has at most " + std::to_string(schema_bytes_max) + " bytes"}};
    auto read = read_value(schema, schema_depth_max);
    if (!read)
        return failure{fault{
            read.error().pointer, "expected " + read.error().expected + ", found " + read.error().found}};
    return compile(*read);
}

result<checker, fault> checker::compile(const value& schema) {
    compiler all(schema);
    const auto root = all.compile();
    if (!root) return failure{std::move(all.error())};
    return checker(std::move(all.nodes()), *root);
}

}  // namespace pulsewire::schema
