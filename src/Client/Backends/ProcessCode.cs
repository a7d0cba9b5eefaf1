namespace Orleans.Joblib;

/// <summary>What this process's calls need to travel to its worker processes: the codec, and the code that workers do not find. Thread-safe.</summary>
internal static class ProcessCode
{
    private static readonly Lock Gate = new();
    private static PayloadCodec? _codec;
    private static int _version;

    internal static ProgramCode Code { get; } = new();

    // A codec keeps to the serializers that were registered when it was made: a later one is for later runs.
    internal static PayloadCodec CurrentCodec()
    {
        lock (Gate)
        {
            var version = SerializerTable.OfProcess.Version;
            if (_codec is null || version != _version)
            {
                var encoder = new PayloadEncoder(Code);
                _codec = new PayloadCodec(encoder, new PayloadDecoder(new OwnCode(), encoder.Serializers));
                _version = version;
            }

            return _codec;
        }
    }
}
