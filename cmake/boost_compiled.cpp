// The compiled half of Asio and Beast: what their headers would otherwise put into every file that includes
// them.

#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
