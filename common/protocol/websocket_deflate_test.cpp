#include "common/protocol/websocket_deflate.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::websocket {
namespace {

TEST(websocket_deflate, accepts_what_browsers_and_libraries_offer) {
    EXPECT_TRUE(offers_deflate("permessage-deflate"));
    EXPECT_TRUE(offers_deflate("permessage-deflate; client_max_window_bits"));
    EXPECT_TRUE(offers_deflate("permessage-deflate;client_max_window_bits=15"));
    EXPECT_TRUE(offers_deflate("permessage-deflate; server_no_context_takeover; client_no_context_takeover"));
    EXPECT_TRUE(offers_deflate("permessage-deflate; server_max_window_bits=15; client_max_window_bits=\"8\"")
    );
    EXPECT_TRUE(offers_deflate("x-other; a=1, permessage-deflate ; client_max_window_bits = 10"));
    // RFC 7692 5.1: several offers, in the order of preference.
    EXPECT_TRUE(offers_deflate("permessage-deflate; server_max_window_bits=10, permessage-deflate"));
}

TEST(websocket_deflate, declines_offers_that_it_cannot_keep_or_that_are_wrong) {
    for (const std::string offer :
         {"", ",", "x-webkit-deflate-frame", "permessage-bzip2", "permessage-deflates",
          "permessage-deflate; server_max_window_bits=10",  // 7.1.2.1: the server would have to keep to it
          "permessage-deflate; server_max_window_bits",     // needs a value
          "permessage-deflate; client_max_window_bits=7", "permessage-deflate; client_max_window_bits=16",
          "permessage-deflate; client_max_window_bits=015",
          "permessage-deflate; client_max_window_bits=", "permessage-deflate; server_no_context_takeover=1",
          "permessage-deflate; unknown", "permessage-deflate; client_max_window_bits; client_max_window_bits",
          "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
          "permessage-deflate;;", "permessage-deflate; =", "PERMESSAGE; deflate"})
        EXPECT_FALSE(offers_deflate(offer)) << offer;
}

TEST(websocket_deflate, reads_a_long_header_in_linear_time) {
    std::string header;
    for (int i = 0; i < 200'000; ++i) header += "permessage-deflate; x,";
    EXPECT_FALSE(offers_deflate(header));
}

}  // namespace
}  // namespace pulsewire::websocket
