namespace Orleans.Joblib;

/// <summary>A delegate: its method, by name, and its target. One with several targets is the list of its parts.</summary>
internal sealed class DelegateCodec(Type type, CodecTable codecs) : ObjectCodec(type)
{
    private const int Size = 80;

    internal override bool IsConstructed => true;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        var function = (Delegate)value;
        if (function.HasSingleTarget)
        {
            writer.WriteVarUInt(1);
            WritePart(writer, function);
            return;
        }

        var parts = function.GetInvocationList();
        writer.WriteVarUInt((ulong)parts.Length);
        foreach (var part in parts)
        {
            WritePart(writer, part);
        }
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        Delegate? whole = null;
        var count = reader.ReadCount(1);
        if (count == 0)
        {
            throw PayloadReader.Malformed("a delegate without a method");
        }

        for (var i = 0; i < count; i++)
        {
            // Combining copies the list each time; past the first few that is what a hostile count would live on.
            reader.Charge(Size + (16L * i));
            var plan = reader.ReadMethod();
            if (plan.DelegateType != Type)
            {
                throw PayloadReader.Malformed($"a '{plan.DelegateType}' in a '{Type}'");
            }

            whole = Delegate.Combine(whole, plan.Create(plan.HasTarget ? reader.ReadReference() : null));
        }

        return whole!;
    }

    private void WritePart(GraphWriter writer, Delegate part)
    {
        writer.Charge(Size + 16);
        var plan = codecs.PlanOf(part);
        writer.WriteMethod(plan);
        if (!plan.HasTarget)
        {
            return;
        }

        if (plan.IsClosure)
        {
            writer.WriteClosure(part.Target, plan.Use);
        }
        else
        {
            writer.WriteReference(part.Target);
        }
    }
}
