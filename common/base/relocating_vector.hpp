#pragma once

// A growing array of values that may be moved by copying their bytes: everything that holds no pointer into
// itself, such as numbers, slices and text_buffer. std::vector's growth, instantiated per type, costs the
// WebAssembly module several hundred bytes each; this is a copy of memory.

#include <cstddef>
#include <cstring>
#include <new>

namespace pulsewire {
namespace detail {

// The first `used` bytes of `data` in memory for twice the elements; the old memory is given back. One
// function for all types: in the client code counts more than time.
void* with_twice_the_room(void* data, std::size_t used, std::size_t& capacity, std::size_t element_bytes);

}  // namespace detail

template <class T>
class relocating_vector {
public:
    relocating_vector() = default;
    relocating_vector(const relocating_vector&) = delete;
    relocating_vector& operator=(const relocating_vector&) = delete;
    ~relocating_vector() {
        clear();
        ::operator delete(data_);
    }

    // A new value at the end, as its default constructor makes it. References are invalid after the next one.
    T& add() {
        if (size_ == capacity_) grow();
        return *new (data_ + size_++) T();
    }
    // Keeps the memory.
    void clear() {
        for (T& each : *this) each.~T();
        size_ = 0;
    }
    // Makes the value at `i` a new one.
    void renew(std::size_t i) {
        data_[i].~T();
        new (data_ + i) T();
    }
    // Removes those for which `unwanted` is true; the others keep their order.
    template <class Unwanted>
    void remove_if(Unwanted unwanted) {
        std::size_t kept = 0;
        for (T& each : *this) {
            if (unwanted(each)) {
                each.~T();
            } else {
                std::memmove(static_cast<void*>(data_ + kept++), static_cast<void*>(&each), sizeof(T));
            }
        }
        size_ = kept;
    }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T& operator[](std::size_t i) { return data_[i]; }
    const T& operator[](std::size_t i) const { return data_[i]; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }

private:
    void grow() {
        data_ = static_cast<T*>(detail::with_twice_the_room(data_, size_ * sizeof(T), capacity_, sizeof(T)));
    }

    T* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace pulsewire
