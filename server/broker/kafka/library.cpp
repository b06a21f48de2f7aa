#include "server/broker/kafka/library.hpp"

#include <algorithm>

namespace pulsewire::shell::kafka {

std::string said(std::string_view text) {
    constexpr std::size_t bytes_max = 300;
    std::string line(text.substr(0, bytes_max));
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?'
    );
    return line;
}

std::string meaning_of(rd_kafka_resp_err_t error) {
    switch (error) {
        case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
        case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
            return "fewer replicas are in step than its min.insync.replicas wants";
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
            return "this user lacks a right: it needs Read, Write, Describe, DescribeConfigs and Delete, and "
                   "Create "
                   "where the topic is not there yet";
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            return "it was trimmed before it was read, or it has become shorter";
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            return "it does not exist (any more)";
        case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
            return "an append was not answered in time";
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
            return "it has no leader at the moment";
        default:
            return said(rd_kafka_err2str(error));
    }
}

bool passes_by_itself(rd_kafka_resp_err_t error) {
    switch (error) {
        case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
            return true;
        default:
            return false;
    }
}

}  // namespace pulsewire::shell::kafka
