namespace Orleans.Joblib;

/// <summary>Tasks that have ended well are values; others are work of this process.</summary>
internal static class TaskCodecs
{
    internal static ObjectCodec For(Type type, CodecTable codecs)
    {
        for (var part = type; part is not null; part = part.BaseType)
        {
            // Behind a task of an asynchronous method is a class of the compiler's; an ended one is as good as Task.FromResult's.
            if (part.IsGenericType && part.GetGenericTypeDefinition() == typeof(Task<>))
            {
                return part.GetGenericArguments()[0].FullName == "System.Threading.Tasks.VoidTaskResult"
                    ? Completed()
                    : (ObjectCodec)Activator.CreateInstance(typeof(TaskCodec<>).MakeGenericType(part.GetGenericArguments()), codecs)!;
            }
        }

        return Completed();
    }

    internal static void Check(Task task)
    {
        if (!task.IsCompletedSuccessfully)
        {
            throw new RefusedException(task.GetType(), "is work of this process that has not ended, or has failed", task) { Remedy = "Await it first" };
        }
    }

    private static ConvertedObjectCodec<Task> Completed() => new(typeof(Task), static (_, task) => Check(task), static _ => Task.CompletedTask);
}
