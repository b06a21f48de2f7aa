#pragma once

// Typed JSON messages: one line makes a struct a message type, which then converts to the payload of
// {"type": "chat.message", "payload": ...} and back, and whose TypeScript type is generated (typescript.hpp).
//
//   struct chat_message {
//       std::string user;
//       std::string text;
//       std::optional<std::string> reply_to;
//   };
//   PULSEWIRE_MESSAGE(chat_message, "chat.message", user, text, reply_to)
//
//   message_name<chat_message>                           "chat.message"
//   encode_payload(chat_message{"ada", "hello", {}})     {"user":"ada","text":"hello"}
//   decode_payload<chat_message>(R"({"user":"ada"})")    the error, whose message() is
//                                                chat.message: /text: expected string, found nothing
//
// Field types and their JSON:
//
//   bool                                        true, false
//   integers of 8 to 64 bits                    number; another one, or one out of range, is refused
//   float, double                               number
//   std::string                                 string (UTF-8)
//   std::vector<std::byte>                      string: base64
//   std::optional<T>                            T; or the field is absent, or null
//   std::vector<T>, std::array<T, N>            array; of exactly N elements
//   std::map<std::string, T>, unordered_map     object
//   PULSEWIRE_FIELDS, PULSEWIRE_MESSAGE         object; also recursive, through a vector or a map
//   PULSEWIRE_VALUE, PULSEWIRE_VALUE_MESSAGE    the JSON of the one member
//   PULSEWIRE_ENUM                              string: the enumerator's name
//   json_value                                  anything
//   a type of yours                             what its own wire_form says (wire_form.hpp)
//
// Not wire types, on purpose: char and its kin (number or letter?), pointers and views (who owns the text?),
// std::variant (JSON has no type tag to choose by: take a json_value and decode_value, or one message type
// for each case).
//
// For programs that link nlohmann_json: the server, native clients. The browser SDK's own module does not.

#include "common/base/payload_error.hpp"
#include "common/message/describe.hpp"
#include "common/message/payload.hpp"
#include "common/message/require.hpp"
