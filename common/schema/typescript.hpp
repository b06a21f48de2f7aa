#pragma once

// The TypeScript types of schemas. common/message/typescript.hpp makes a module of them, together with those
// of C++.
//
// JSON Schema                                 TypeScript
//   type: integer, number                     number
//   type: [string, null]                      string | null
//   enum, const                               their values: "red" | "green" | 3
//   items: S                                  S[]; [S, S] where there are exactly so many, up to 8
//   properties, required                      { name: S; other?: S }
//   additionalProperties: S                   Record<string, S>; beside properties [name: string]: unknown
//   no properties, no others                  Record<string, never>
//   $ref                                      a declaration of its own, after the message and the last name
//   no type, and true                         unknown, because such a schema lets other kinds pass
//
// Bounds and lengths have no type in TypeScript.

#include "common/schema/value.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::schema {

struct typescript {
    std::string type;  // of the payload: the name of the first declaration
    // Names and their texts, "export interface ChatMessage {...}\n".
    std::vector<std::pair<std::string, std::string>> declarations;
};

// Precondition: checker::compile() takes the schema.
typescript typescript_of(std::string_view message_type, const value& schema);

}  // namespace pulsewire::schema
