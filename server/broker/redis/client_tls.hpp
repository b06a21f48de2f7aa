#pragma once

// TLS to a Redis.

#include "common/base/result.hpp"

#include <boost/asio/ssl/context.hpp>

#include <string>

namespace pulsewire::shell::redis {

// Trusts the authorities in the file, in PEM form; empty: those of the system. The error is a sentence for
// the operator.
result<boost::asio::ssl::context, std::string> client_tls(const std::string& ca_file);

}  // namespace pulsewire::shell::redis
