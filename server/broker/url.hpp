#pragma once

// The address of a broker as one URL, before anybody has looked at what it means:
//
//   scheme://user:password@host:port,host:port/path?name=value&name=value
//
// User and password may be left out, and hold any byte as %HH, as the path and the values of options do.

#include "common/base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell {

struct endpoint {
    std::string host;  // a name or an address, an IPv6 one without brackets
    std::uint16_t port = 0;
};

// "host:port", for sentences.
std::string text_of(const endpoint& e);

struct broker_url {
    std::string scheme;
    std::string user;             // empty: none is named
    std::string password;         // empty: none is sent
    std::vector<endpoint> hosts;  // at least one
    std::string path;             // without its '/'
    std::map<std::string, std::string> options;
};

// "the broker's address " and what is wrong with it.
failure<std::string> wrong_address(std::string_view what);

// Empty when the text does not begin with a scheme. Only a scheme is repeated in an error: the rest may hold
// a password.
std::string_view scheme_of(std::string_view url);

// Hosts without a port get the usual one. The error is a sentence for the operator that says what is right,
// and repeats nothing that may be a password.
result<broker_url, std::string> read_broker_url(std::string_view url, std::uint16_t usual_port);

}  // namespace pulsewire::shell
