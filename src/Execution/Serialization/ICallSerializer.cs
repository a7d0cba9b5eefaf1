using System.Buffers;

namespace Orleans.Joblib;

/// <summary>Turns values of a type into bytes and back, where Orleans.Joblib's own way does not do: a handle that can be opened again, a model with a format of its own.</summary>
/// <typeparam name="T">The type of the values.</typeparam>
/// <remarks>
/// The class travels by name, as the rest of the program's code does, and is made on the far side with its parameterless constructor. One object serves many threads.
/// joblib 1.6: <c>LOKY_PICKLER</c>, <c>set_loky_pickler</c>.
/// </remarks>
public interface ICallSerializer<T>
{
    /// <summary>Writes a value. What it throws refuses the value, before anything is sent.</summary>
    /// <param name="value">The value, never null for a reference type.</param>
    /// <param name="output">Takes the bytes.</param>
    void Write(T value, IBufferWriter<byte> output);

    /// <summary>Makes a value from all of the bytes that <see cref="Write"/> wrote.</summary>
    /// <param name="input">The bytes; valid during the call.</param>
    /// <returns>The value, never null for a reference type.</returns>
    T Read(ReadOnlySequence<byte> input);
}
