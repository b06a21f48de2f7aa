#pragma once

// A JSON Schema, compiled: payloads are checked against it in one pass over their text, without a tree.
//
//   auto chat = schema::checker::compile(R"({"type": "object", "properties": {"text": {"type": "string"}},
//                                            "required": ["text"]})");
//   chat->check(R"({"text": 1})")          the error, whose message() is
//                                          /text: expected string, found number
//
// The keywords are those of docs/schemas.md. A keyword that would not be checked is an error of compile().

#include "common/base/payload_error.hpp"
#include "common/base/result.hpp"
#include "common/schema/node.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::schema {

inline constexpr std::size_t schema_bytes_max = 256 * 1024;  // beyond: no schema
inline constexpr int schema_depth_max = 64;                  // levels of its JSON; beyond: no schema

// The reason why a text is no schema for this checker.
struct fault {
    std::string pointer;  // RFC 6901, into the schema; empty for the whole
    std::string
        what;  // the cause and the remedy: sentences for the author of the schema, without a final stop

    // "at /properties/name/pattern: ...".
    std::string message() const;
};

class checker {
public:
    static result<checker, fault> compile(std::string_view schema);
    static result<checker, fault> compile(const value& schema);

    // Why the payload does not fit: the first fault in the order of the text, and a missing member where its
    // object ends. The error names kinds and what the schema expects, and never a value of the payload; its
    // type is empty. Every one of several members of one name must fit. Text that is no JSON, or nests deeper
    // than protocol 2 allows, does not fit.
    std::optional<payload_error> check(std::string_view payload) const;

private:
    explicit checker(std::vector<node> nodes, node_index root) : nodes_(std::move(nodes)), root_(root) {}

    std::vector<node> nodes_;
    node_index root_;
};

}  // namespace pulsewire::schema
