#pragma once

// The answer 404 for a person whose browser went to an address where there is nothing: a page that says what
// this server is and which paths exist. Programs keep the JSON.

#include "server/http/request.hpp"
#include "server/http/response.hpp"

#include <string_view>

namespace pulsewire::shell {

// Whether a browser goes there to show the answer as a page. Scripts, and programs of all kinds, do not say
// so.
bool is_navigation(const request& r);

// Makes the page of an answer 404 to a navigation; other answers stay as they are. `base_path` and
// `has_pages` are those of the settings: whether there is a web_root.
void show_to_person(const request& r, std::string_view base_path, bool has_pages, response& answer);

}  // namespace pulsewire::shell
