// The compiled half of Asio's TLS, which belongs to nobody else: the server's own connections have net/tls.

#include <boost/asio/ssl/impl/src.hpp>
