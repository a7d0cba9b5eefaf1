namespace Orleans.Joblib;

/// <summary>Whole lines of a worker on their way to its program's console.</summary>
internal static class WorkerOutput
{
    internal static Frame Of(bool isError, string lines) => Frame.Of(FrameKind.Output, writer =>
    {
        writer.WriteByte(isError ? (byte)1 : (byte)0);
        writer.WriteString(lines);
    });

    internal static void Read(byte[] body)
    {
        var reader = new PayloadReader(body, long.MaxValue);
        Write(reader.ReadByte() == 0 ? Console.Out : Console.Error, reader.ReadString());
    }

    /// <summary>Writes lines in one piece: the console's writers let nobody in between.</summary>
    internal static void Write(TextWriter console, string lines)
    {
        try
        {
            console.Write(lines);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The program's console is closed: what workers say is lost like what it says itself.
        }
    }
}
