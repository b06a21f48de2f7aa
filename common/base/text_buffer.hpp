#pragma once

// Text that grows: the part of std::string that the client needs, in a fraction of its
// code. In the WebAssembly module, the code of std::string for growing, moving and
// comparing would be a tenth of the whole.

#include <cstddef>
#include <cstring>
#include <new>
#include <string_view>

namespace pulsewire {

class text_buffer {
public:
    text_buffer() = default;
    explicit text_buffer(std::string_view text) { *this += text; }
    text_buffer(const text_buffer&) = delete;
    text_buffer& operator=(const text_buffer&) = delete;
    ~text_buffer() { ::operator delete(data_); }

    // Replaces the text. `text` must not be a part of this buffer.
    text_buffer& operator=(std::string_view text) {
        size_ = 0;
        return *this += text;
    }
    // Appends. `text` must not be a part of this buffer.
    text_buffer& operator+=(std::string_view text);
    void push_back(char c) { *this += {&c, 1}; }
    // Keeps the memory.
    void clear() { size_ = 0; }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    friend bool operator==(const text_buffer& a, std::string_view b) { return std::string_view(a) == b; }
    operator std::string_view() const { return {data_, size_}; }

private:
    char* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace pulsewire
