namespace Orleans.Joblib.Tests;

/// <summary>Sends calls and values through bytes.</summary>
internal static class Travel
{
    internal static byte[] Encode<T>(params Delayed<T>[] calls) => new PayloadEncoder(new LoadedCode()).EncodeCalls<T>(calls);

    internal static Delayed<T>[] Decode<T>(byte[] payload) => ((DecodedCalls<T>)new PayloadDecoder(new LoadedCode()).DecodeCalls(payload)).Calls;

    internal static Delayed<T>[] Send<T>(params Delayed<T>[] calls) => Decode<T>(Encode(calls));

    internal static T[] Run<T>(params Delayed<T>[] calls) => [.. Send(calls).Select(call => call.Invoke(default))];

    internal static T RunOne<T>(Func<T> function) => Run(Joblib.Delayed(function))[0];

    internal static byte[] EncodeResults<T>(params T[] results) => new PayloadEncoder(new LoadedCode()).EncodeResults<T>(results);

    internal static T[] CopyAll<T>(params T[] values)
    {
        var copies = new T[values.Length];
        new PayloadDecoder(new LoadedCode()).DecodeResults(EncodeResults(values), copies.AsSpan());
        return copies;
    }

    internal static T Copy<T>(T value) => CopyAll([value])[0];

    internal static Exception CopyFailure(Exception exception, CallFailure? failure = null) =>
        new PayloadDecoder(new LoadedCode()).DecodeFailure(new PayloadEncoder(new LoadedCode()).EncodeFailure(exception, failure));
}
