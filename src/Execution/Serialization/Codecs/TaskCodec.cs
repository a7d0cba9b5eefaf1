namespace Orleans.Joblib;

/// <summary>A task that has ended, as its result.</summary>
internal sealed class TaskCodec<T>(CodecTable codecs) : ObjectCodec(typeof(Task<T>))
{
    internal override bool IsConstructed => true;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        var task = (Task<T>)value;
        TaskCodecs.Check(task);
        writer.Charge(96);
        var result = task.Result;
        codecs.FieldFor<T>().Write(writer, ref result);
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(96);
        T result = default!;
        codecs.FieldFor<T>().Read(reader, ref result);
        return Task.FromResult(result);
    }
}
